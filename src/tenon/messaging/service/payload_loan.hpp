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

/// Who lends, and takes what was written.
class PayloadLender {
 public:
  static Error too_long(const char* call, std::uint64_t longest, std::uint64_t wanted) {
    return Error(Errc::message_too_long, call)
        .with({.name = "bytes of a message",
               .value = longest,
               .wanted = wanted,
               .remedy = "create its sender with a larger `longest`, or send it in parts"});
  }
};

/// Of AnyMessage.
template <class M>
class PayloadLoan {
 public:
  explicit PayloadLoan(CallChunk chunk) noexcept : chunk_(std::move(chunk)) { ::new (chunk_.data()) M; }
  M& operator*() noexcept { return *std::launder(reinterpret_cast<M*>(chunk_.data())); }
  M* operator->() noexcept { return &**this; }

  /// For its lender.
  CallChunk& chunk() noexcept { return chunk_; }
  std::uint64_t bytes() const noexcept { return sizeof(M); }

 private:
  CallChunk chunk_;
};

template <SlicedMessage M>
class PayloadLoan<M> {
  using Element = typename SliceElement<M>::Type;

 public:
  PayloadLoan(CallChunk chunk, std::size_t count) noexcept : chunk_(std::move(chunk)), size_(count) {
    std::uninitialized_default_construct_n(data(), count);
  }
  std::span<Element> operator*() const noexcept { return {data(), size()}; }
  Element& operator[](std::size_t i) const noexcept { return data()[i]; }
  Element* data() const noexcept { return reinterpret_cast<Element*>(chunk_.data()); }
  /// 0, once it was sent or moved.
  std::size_t size() const noexcept { return data() != nullptr ? size_ : 0; }
  auto begin() const noexcept { return (**this).begin(); }
  auto end() const noexcept { return (**this).end(); }
  /// Only the first `count` are to be sent.
  void shorten(std::size_t count) noexcept {
    expects(count <= size(), "what was lent is shortened, not lengthened");
    size_ = count;
  }

  CallChunk& chunk() noexcept { return chunk_; }
  std::uint64_t bytes() const noexcept { return size() * sizeof(Element); }

 private:
  CallChunk chunk_;
  std::size_t size_;
};

template <TailedMessage M>
class PayloadLoan<M> {
  using Head = typename TailedHead<M>::Type;

 public:
  PayloadLoan(CallChunk chunk, std::uint64_t most_bytes) noexcept : chunk_(std::move(chunk)), most_bytes_(most_bytes) {
    ::new (chunk_.data()) Head();
  }
  Head& operator*() noexcept { return *std::launder(reinterpret_cast<Head*>(chunk_.data())); }
  Head* operator->() noexcept { return &**this; }

  /// Room for `count` elements behind what the tail has already, which `member`, of this message, names from now on.
  /// Outcomes: message_too_long (its sender's `longest`).
  template <class T>
  Result<std::span<T>> add(Tail<T>& member, std::size_t count) {
    const auto* const place = reinterpret_cast<const std::byte*>(&member);
    expects(place >= chunk_.data() && place < chunk_.data() + sizeof(Head), "the member is one of this message");
    const std::uint64_t at = (bytes_ + alignof(T) - 1) / alignof(T) * alignof(T);
    if (at > most_bytes_ || count > (most_bytes_ - at) / sizeof(T)) {
      return fail(PayloadLender::too_long("add", most_bytes_, at + count * sizeof(T)));
    }
    bytes_ = at + count * sizeof(T);
    member = {.at = at, .count = count};
    auto* const first = reinterpret_cast<T*>(chunk_.data() + at);
    std::uninitialized_default_construct_n(first, count);
    return std::span<T>(first, count);
  }

  CallChunk& chunk() noexcept { return chunk_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  CallChunk chunk_;
  std::uint64_t bytes_ = sizeof(Head);
  std::uint64_t most_bytes_;
};

}  // namespace tenon
