#pragma once
/// What publishers of all kinds of messages have. topic.hpp
#include <tenon/messaging/topic/message_shape.hpp>
#include <tenon/messaging/topic/publisher_port.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon {

/// Of AnyMessage.
template <class M>
class Publisher;
template <class M>
class Loan;

/// A chunk that is being written. Dropped, it goes back. It goes before its publisher does.
template <std::size_t Words>
class LentChunk {
 public:
  using Port = PublisherPort<Words>;

  LentChunk(Port& port, std::uint32_t number) noexcept : port_(&port), number_(number) {}
  LentChunk(LentChunk&& other) noexcept : port_(std::exchange(other.port_, nullptr)), number_(other.number_) {}
  LentChunk& operator=(LentChunk&& other) noexcept {
    LentChunk taken(std::move(other));
    std::swap(port_, taken.port_);
    std::swap(number_, taken.number_);
    return *this;
  }
  LentChunk(const LentChunk&) = delete;
  LentChunk& operator=(const LentChunk&) = delete;
  ~LentChunk() {
    if (port_ != nullptr) {
      port_->put_back(number_);
    }
  }

  bool is_of(const Port* port) const noexcept { return port_ == port; }
  std::uint32_t number() const noexcept { return number_; }
  /// Nothing, once it was published or moved.
  std::byte* data() const noexcept { return port_ != nullptr ? port_->chunk(number_) : nullptr; }
  /// It was published, and is nobody's to put back.
  void forget() noexcept { port_ = nullptr; }

 private:
  Port* port_;
  std::uint32_t number_;
};

template <class M>
class PublisherHandle {
 public:
  /// Joins the topic, which is made if nobody is in it. Failures: type_mismatch (naming the first field that differs
  /// from what the topic's publishers have), no_space, limit_reached, permission_denied, invalid_name, in_child.
  static Result<Publisher<M>> create(const Holder& holder, std::string_view topic,
                                     const PublisherOptions& options = {}) {
    return shape(options)
        .and_then(
            [&](const PublisherShape& shape) { return Port::create(holder, topic, options, shape, Shape::type()); })
        .transform([&](std::unique_ptr<Port> port) { return Publisher<M>(std::move(port), options); });
  }
  /// Bytes of shared memory that create() reserves, the bell's page and the names aside. Failures: limit_reached.
  static Result<std::uint64_t> memory_needed(const PublisherOptions& options = {}) {
    return shape(options)
        .and_then([](const PublisherShape& shape) { return lay_out(shape, Shape::type()); })
        .transform([](const PublisherHeader& header) { return header.file_bytes; });
  }

  /// Sends what was lent, without a copy, as many as there is room for until the deadline, and tells the sleepers once.
  /// Returns how many were sent, which are the first of them; the other loans stay the caller's. Fails only if none
  /// was, as publish().
  Result<std::size_t> publish_batch(std::span<Loan<M>> loans, Deadline deadline)
    requires(MessageShape<M>::in_chunks)
  {
    for (const Loan<M>& loan : loans) {
      expects(loan.chunk_.is_of(port_.get()), lent_once);
    }
    auto sent = port_->publish_chunks(
        loans.size(), [loans](std::size_t i) { return LentMessage{loans[i].chunk_.number(), loans[i].bytes()}; },
        deadline);
    for (Loan<M>& loan : loans.first(sent.value_or(0))) {
      loan.chunk_.forget();
    }
    return sent;
  }

  /// How far each subscriber that has joined has come, and what it holds. Each of them hears what is published from
  /// now on.
  std::vector<SubscriberStanding> subscribers() { return port_->subscribers(); }
  /// The number of messages that it has sent.
  std::uint64_t published() const noexcept { return port_->next(); }

  /// Says that nothing more comes. Subscribers receive what is there, and then `closed`. Failures: in_child.
  Result<void> close() && { return std::exchange(port_, nullptr)->close(); }

 protected:
  using Shape = MessageShape<M>;
  using Port = PublisherPort<Shape::entry_words>;
  static constexpr const char* lent_once = "a loan is published once, by the publisher that lent it";
  explicit PublisherHandle(std::unique_ptr<Port> port) noexcept : port_(std::move(port)) {}

  // When it fails, the chunk stays the loan's.
  Result<void> publish_lent(LentChunk<Shape::entry_words>& chunk, std::uint64_t bytes, Deadline deadline) {
    expects(chunk.is_of(port_.get()), lent_once);
    auto published = port_->publish_chunk(chunk.number(), bytes, deadline);
    if (published) {
      chunk.forget();
    }
    return published;
  }
  // A message that was copied into a chunk: it goes back when it is not sent.
  Result<void> publish_copied(std::uint32_t chunk, std::uint64_t bytes, Deadline deadline) {
    auto published = port_->publish_chunk(chunk, bytes, deadline);
    if (!published) {
      port_->put_back(chunk);
    }
    return published;
  }

  std::unique_ptr<Port> port_;

 private:
  static Result<PublisherShape> shape(const PublisherOptions& options) {
    return Publisher<M>::longest_bytes(options).and_then(
        [&](std::uint64_t bytes) { return shape_of(options, bytes, sizeof(typename Port::Entry), Shape::in_chunks); });
  }
};

}  // namespace tenon
