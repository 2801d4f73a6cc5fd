#pragma once
/// The handle of a publisher of messages with a tail: Tailed<T>. topic.hpp
#include <tenon/messaging/topic/publisher_handle.hpp>
#include <tenon/messaging/topic/tail.hpp>

#include <memory>
#include <new>
#include <span>

namespace tenon {

/// Room for a message and its tail, to be written in place and published. Dropped, it goes back. It goes before its
/// publisher does.
template <TailedMessage M>
class Loan<M> {
  using Head = typename TailedHead<M>::Type;
  using Port = PublisherPort<MessageShape<M>::entry_words>;

 public:
  Head& operator*() noexcept { return *head(); }
  Head* operator->() noexcept { return head(); }

  /// Room for `count` elements behind what the tail has already, which `member`, of this message, names from now on.
  /// Outcomes: message_too_long (the publisher's `longest`).
  template <class T>
  Result<std::span<T>> add(Tail<T>& member, std::size_t count) {
    const auto* const place = reinterpret_cast<const std::byte*>(&member);
    expects(place >= chunk_.data() && place < chunk_.data() + sizeof(Head), "the member is one of this message");
    const std::uint64_t at = (bytes_ + alignof(T) - 1) / alignof(T) * alignof(T);
    if (at > most_bytes_ || count > (most_bytes_ - at) / sizeof(T)) {
      return fail(Error(Errc::message_too_long, "add")
                      .with({.name = "bytes of a message's tail",
                             .value = most_bytes_ - sizeof(Head),
                             .wanted = at + count * sizeof(T) - sizeof(Head),
                             .remedy = "create the publisher with a larger `longest`"}));
    }
    bytes_ = at + count * sizeof(T);
    member = {.at = at, .count = count};
    auto* const first = reinterpret_cast<T*>(chunk_.data() + at);
    std::uninitialized_default_construct_n(first, count);
    return std::span<T>(first, count);
  }

 private:
  friend class Publisher<M>;
  friend class PublisherHandle<M>;
  Loan(Port& port, std::uint32_t chunk, std::uint64_t most_bytes) noexcept
      : chunk_(port, chunk), most_bytes_(most_bytes) {
    ::new (chunk_.data()) Head();
  }
  Head* head() noexcept { return std::launder(reinterpret_cast<Head*>(chunk_.data())); }
  std::uint64_t bytes() const noexcept { return bytes_; }

  LentChunk<MessageShape<M>::entry_words> chunk_;
  std::uint64_t bytes_ = sizeof(Head);
  std::uint64_t most_bytes_;
};

template <TailedMessage M>
class Publisher<M> : public PublisherHandle<M> {
  using Base = PublisherHandle<M>;
  using Head = typename TailedHead<M>::Type;
  using Port = typename Base::Port;
  using Base::port_;

 public:
  /// Room to write the next message in place, whose head is Head(). Failures: limit_reached (all chunks are lent or
  /// held, by whom), in_child.
  Result<Loan<M>> loan() {
    return port_->take_chunk().transform([&](std::uint32_t chunk) { return Loan<M>(*port_, chunk, most_bytes_); });
  }
  /// Sends what was written there, without a copy. When it fails, the loan stays the caller's. Outcomes: timed_out,
  /// stopped, would_block (the deadline is `immediately`, or it refuses), each naming the slowest. Failures: in_child.
  Result<void> publish(Loan<M>&& loan, Deadline deadline) {
    return this->publish_lent(loan.chunk_, loan.bytes(), deadline);
  }

 private:
  friend Base;
  Publisher(std::unique_ptr<Port> port, const PublisherOptions& options)
      : Base(std::move(port)), most_bytes_(longest_bytes(options).or_throw()) {}
  static Result<std::uint64_t> longest_bytes(const PublisherOptions& options) {
    constexpr std::uint64_t usual = 64 << 10;
    const std::uint64_t tail = options.longest != 0 ? options.longest : usual;
    if (tail > MessageAbout::most_bytes - sizeof(Head)) {
      return fail(Error(Errc::limit_reached)
                      .with({.name = "bytes of a message's tail",
                             .value = MessageAbout::most_bytes - sizeof(Head),
                             .wanted = tail,
                             .remedy = "ask for a smaller `longest`"}));
    }
    return sizeof(Head) + tail;
  }

  std::uint64_t most_bytes_;
};

}  // namespace tenon
