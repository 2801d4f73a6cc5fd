#pragma once
/// Room for a request or a response, to be written in place and sent. Dropped, it goes back. It goes before the client,
/// or the call, that lent it.
#include <tenon/messaging/service/payload.hpp>
#include <tenon/messaging/topic/tail.hpp>

#include <memory>
#include <new>
#include <span>
#include <string>

namespace tenon {

/// Of AnyMessage.
template <class M>
class PayloadLoan {
 public:
  explicit PayloadLoan(CallRoom room) noexcept : room_(std::move(room)) { ::new (room_.chunk.data()) M; }
  M& operator*() noexcept { return *std::launder(reinterpret_cast<M*>(room_.chunk.data())); }
  M* operator->() noexcept { return &**this; }

  /// For its lender.
  CallRoom& room() noexcept { return room_; }
  std::uint64_t bytes() const noexcept { return sizeof(M); }

 private:
  CallRoom room_;
};

template <SlicedMessage M>
class PayloadLoan<M> {
  using Element = typename SliceElement<M>::Type;

 public:
  PayloadLoan(CallRoom room, std::size_t count) noexcept : room_(std::move(room)), size_(count) {
    std::uninitialized_default_construct_n(data(), count);
  }
  std::span<Element> operator*() const noexcept { return {data(), size()}; }
  Element& operator[](std::size_t i) const noexcept { return data()[i]; }
  Element* data() const noexcept { return reinterpret_cast<Element*>(room_.chunk.data()); }
  /// 0, once it was sent or moved.
  std::size_t size() const noexcept { return data() != nullptr ? size_ : 0; }
  auto begin() const noexcept { return (**this).begin(); }
  auto end() const noexcept { return (**this).end(); }
  /// Only the first `count` are to be sent.
  void shorten(std::size_t count) noexcept {
    expects(count <= size(), "what was lent is shortened, not lengthened");
    size_ = count;
  }

  CallRoom& room() noexcept { return room_; }
  std::uint64_t bytes() const noexcept { return size() * sizeof(Element); }

 private:
  CallRoom room_;
  std::size_t size_;
};

template <TailedMessage M>
class PayloadLoan<M> {
  using Head = typename TailedHead<M>::Type;

 public:
  PayloadLoan(CallRoom room, std::uint64_t most_bytes) noexcept : room_(std::move(room)), most_bytes_(most_bytes) {
    ::new (room_.chunk.data()) Head();
  }
  Head& operator*() noexcept { return *std::launder(reinterpret_cast<Head*>(room_.chunk.data())); }
  Head* operator->() noexcept { return &**this; }

  /// Room for `count` elements behind what the tail has already, which `member`, of this message, names from now on.
  /// Outcomes: message_too_long (its sender's `longest`).
  template <class T>
  Result<std::span<T>> add(Tail<T>& member, std::size_t count) {
    const auto* const place = reinterpret_cast<const std::byte*>(&member);
    expects(place >= room_.chunk.data() && place < room_.chunk.data() + sizeof(Head),
            "the member is one of this message");
    const std::uint64_t at = (bytes_ + alignof(T) - 1) / alignof(T) * alignof(T);
    if (at > most_bytes_ || count > (most_bytes_ - at) / sizeof(T)) {
      return fail(too_long("add", most_bytes_, at + count * sizeof(T)));
    }
    bytes_ = at + count * sizeof(T);
    member = {.at = at, .count = count};
    auto* const first = reinterpret_cast<T*>(room_.chunk.data() + at);
    std::uninitialized_default_construct_n(first, count);
    return std::span<T>(first, count);
  }

  CallRoom& room() noexcept { return room_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  CallRoom room_;
  std::uint64_t bytes_ = sizeof(Head);
  std::uint64_t most_bytes_;
};

}  // namespace tenon
