#pragma once
/// The handle of a publisher of messages of one size. topic.hpp
#include <tenon/messaging/topic/message_shape.hpp>
#include <tenon/messaging/topic/publisher_port.hpp>

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

/// Of Message or SlicedMessage.
template <class T>
class Publisher;
template <class T>
class Loan;

/// What publishers of all types have.
template <std::size_t Words>
class PublisherHandle {
 public:
  /// How far each subscriber has come, and what it holds.
  std::vector<SubscriberStanding> subscribers() { return port_->subscribers(); }
  /// The number of messages that it has sent.
  std::uint64_t published() const noexcept { return port_->next(); }

  /// Says that nothing more comes. Subscribers receive what is there, and then `closed`. Failures: in_child.
  Result<void> close() && { return std::exchange(port_, nullptr)->close(); }

 protected:
  using Port = PublisherPort<Words>;
  explicit PublisherHandle(std::unique_ptr<Port> port) noexcept : port_(std::move(port)) {}

  // A message that was copied into a chunk: it goes back when it is not sent.
  Result<void> publish_copied(std::uint32_t chunk, std::uint64_t bytes, Deadline deadline) {
    auto published = port_->publish_chunk(chunk, bytes, deadline);
    if (!published) {
      port_->put_back(chunk);
    }
    return published;
  }

  std::unique_ptr<Port> port_;
};

/// Room for a message, to be written in place and published. Dropped, it goes back. It goes before its publisher does.
template <Message T>
class Loan<T> {
 public:
  Loan(Loan&& other) noexcept
      : port_(std::exchange(other.port_, nullptr)), chunk_(other.chunk_), value_(std::move(other.value_)) {}
  Loan& operator=(Loan&& other) noexcept {
    std::swap(port_, other.port_);
    std::swap(chunk_, other.chunk_);
    std::swap(value_, other.value_);
    return *this;
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() {
    if (port_ != nullptr && Shape::in_chunks) {
      port_->put_back(chunk_);
    }
  }

  T& operator*() noexcept { return *value(); }
  T* operator->() noexcept { return value(); }

 private:
  friend class Publisher<T>;
  using Shape = MessageShape<T>;
  using Port = PublisherPort<Shape::entry_words>;
  struct Nothing {};

  Loan(Port& port, std::uint32_t chunk) noexcept : port_(&port), chunk_(chunk) {
    if constexpr (Shape::in_chunks) {
      ::new (port.chunk(chunk)) T;
    }
  }
  T* value() noexcept {
    if constexpr (Shape::in_chunks) {
      return std::launder(reinterpret_cast<T*>(port_->chunk(chunk_)));
    } else {
      return &value_;
    }
  }

  Port* port_;
  std::uint32_t chunk_;
  [[no_unique_address]] std::conditional_t<Shape::in_chunks, Nothing, T> value_{};
};

template <Message T>
class Publisher<T> : public PublisherHandle<MessageShape<T>::entry_words> {
  using Shape = MessageShape<T>;
  using Port = PublisherPort<Shape::entry_words>;
  using PublisherHandle<Shape::entry_words>::port_;

 public:
  /// Joins the topic, which is made if nobody is in it. Failures: type_mismatch (naming the first field that differs
  /// from what the topic's publishers have), no_space, limit_reached, permission_denied, invalid_name, in_child.
  static Result<Publisher> create(const Holder& holder, std::string_view topic, const PublisherOptions& options = {}) {
    return shape(options)
        .and_then(
            [&](const PublisherShape& shape) { return Port::create(holder, topic, options, shape, message_type<T>()); })
        .transform([](std::unique_ptr<Port> port) { return Publisher(std::move(port)); });
  }
  /// Bytes of shared memory that create() reserves, the bell's page and the names aside. Failures: limit_reached.
  static Result<std::uint64_t> memory_needed(const PublisherOptions& options = {}) {
    return shape(options)
        .and_then([](const PublisherShape& shape) { return lay_out(shape, message_type<T>()); })
        .transform([](const PublisherHeader& header) { return header.file_bytes; });
  }

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
      std::array<std::uint64_t, Shape::words> words{};
      std::memcpy(words.data(), &value, sizeof value);
      return port_->template publish_words<Shape::words>(words, sizeof value, deadline);
    }
  }
  Result<void> try_publish(const T& value) { return publish(value, immediately); }

  /// Room to write the next message in place. Failures: limit_reached (all chunks are lent or held, by whom), in_child.
  Result<Loan<T>> loan() {
    if constexpr (Shape::in_chunks) {
      return port_->take_chunk().transform([&](std::uint32_t chunk) { return Loan<T>(*port_, chunk); });
    } else {
      return Loan<T>(*port_, 0);
    }
  }
  /// Sends what was written there, without a copy if it is long. When it fails, the loan stays the caller's.
  Result<void> publish(Loan<T>&& loan, Deadline deadline) {
    expects(loan.port_ == port_.get(), "a loan is published once, by the publisher that lent it");
    if constexpr (Shape::in_chunks) {
      auto published = port_->publish_chunk(loan.chunk_, sizeof(T), deadline);
      loan.port_ = published ? nullptr : loan.port_;
      return published;
    } else {
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
        values.size(), sizeof(T),
        [values](std::size_t i) {
          std::array<std::uint64_t, Shape::words> words{};
          std::memcpy(words.data(), &values[i], sizeof(T));
          return words;
        },
        deadline);
  }

 private:
  explicit Publisher(std::unique_ptr<Port> port) noexcept : PublisherHandle<Shape::entry_words>(std::move(port)) {}
  static Result<PublisherShape> shape(const PublisherOptions& options) {
    return shape_of(options, sizeof(T), sizeof(typename Port::Entry), Shape::in_chunks);
  }
};

}  // namespace tenon
