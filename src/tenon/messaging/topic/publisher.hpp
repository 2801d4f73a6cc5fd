#pragma once
/// The handle of a publisher of messages of one size. topic.hpp
#include <tenon/messaging/topic/publisher_handle.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenon {

/// Room for a message, to be written in place and published. Dropped, it goes back. It goes before its publisher does.
template <Message T>
  requires(MessageShape<T>::in_chunks)
class Loan<T> {
 public:
  T& operator*() noexcept { return *value(); }
  T* operator->() noexcept { return value(); }

 private:
  friend class Publisher<T>;
  friend class PublisherHandle<T>;
  using Port = PublisherPort<MessageShape<T>::entry_words>;
  Loan(Port& port, std::uint32_t chunk) noexcept : chunk_(port, chunk) { ::new (chunk_.data()) T; }
  T* value() noexcept { return std::launder(reinterpret_cast<T*>(chunk_.data())); }
  std::uint64_t bytes() const noexcept { return sizeof(T); }

  LentChunk<MessageShape<T>::entry_words> chunk_;
};

/// Of a short message: it is copied when it is published.
template <Message T>
class Loan<T> {
 public:
  Loan(Loan&& other) noexcept : port_(std::exchange(other.port_, nullptr)), value_(other.value_) {}
  Loan& operator=(Loan&& other) noexcept {
    std::swap(port_, other.port_);
    std::swap(value_, other.value_);
    return *this;
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() = default;

  T& operator*() noexcept { return value_; }
  T* operator->() noexcept { return &value_; }

 private:
  friend class Publisher<T>;
  using Port = PublisherPort<MessageShape<T>::entry_words>;
  explicit Loan(Port& port) noexcept : port_(&port) {}

  Port* port_;
  T value_{};
};

template <Message T>
class Publisher<T> : public PublisherHandle<T> {
  using Base = PublisherHandle<T>;
  using Shape = MessageShape<T>;
  using Port = typename Base::Port;
  using Base::port_;

 public:
  using Base::publish_batch;
  /// Sends a copy. Where a reliable subscriber is `depth` messages behind, as the options say. Outcomes: timed_out,
  /// stopped, would_block (the deadline is `immediately`, or it refuses), each naming the slowest. Failures:
  /// limit_reached (of long messages: all chunks are held, by whom; descriptors), in_child.
  Result<void> publish(const T& value, Deadline deadline) {
    if constexpr (Shape::in_chunks) {
      return port_->take_chunk().and_then([&](std::uint32_t chunk) {
        std::memcpy(port_->chunk(chunk), &value, sizeof value);
        return this->publish_copied(chunk, sizeof value, deadline);
      });
    } else {
      return port_->template publish_words<Shape::words>(Shape::words_of(value), sizeof value, deadline);
    }
  }
  Result<void> try_publish(const T& value) { return publish(value, immediately); }

  /// Room to write the next message in place. Failures: limit_reached (all chunks are lent or held, by whom), in_child.
  Result<Loan<T>> loan() {
    if constexpr (Shape::in_chunks) {
      return port_->take_chunk().transform([&](std::uint32_t chunk) { return Loan<T>(*port_, chunk); });
    } else {
      return Loan<T>(*port_);
    }
  }
  /// Sends what was written there, without a copy if it is long. When it fails, the loan stays the caller's.
  Result<void> publish(Loan<T>&& loan, Deadline deadline) {
    if constexpr (Shape::in_chunks) {
      return this->publish_lent(loan.chunk_, sizeof(T), deadline);
    } else {
      expects(loan.port_ == port_.get(), Base::lent_once);
      auto published = publish(loan.value_, deadline);
      loan.port_ = published ? nullptr : loan.port_;
      return published;
    }
  }

  /// Sends copies of short messages, as many as there is room for until the deadline, and tells the sleepers once.
  /// Returns how many were sent, which are the first of them; fails only if none was, as publish().
  Result<std::size_t> publish_batch(std::span<const T> values, Deadline deadline)
    requires(!Shape::in_chunks)
  {
    return port_->template publish_batch<Shape::words>(
        values.size(), sizeof(T), [values](std::size_t i) { return Shape::words_of(values[i]); }, deadline);
  }

 private:
  friend Base;
  Publisher(std::unique_ptr<Port> port, const PublisherOptions&) noexcept : Base(std::move(port)) {}
  static Result<std::uint64_t> longest_bytes(const PublisherOptions&) noexcept { return sizeof(T); }
};

}  // namespace tenon
