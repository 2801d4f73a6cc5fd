#pragma once
/// A request or a response that was received, by its type: read in place where it is long, and held until it goes.
#include <tenon/messaging/service/payload.hpp>
#include <tenon/messaging/topic/tail.hpp>

#include <span>

namespace tenon {

/// Of AnyMessage. It goes before the client or the server that received it.
template <class M>
class Received {
 public:
  explicit Received(HeldPayload payload) noexcept : payload_(std::move(payload)) {}
  const M& operator*() const noexcept { return *reinterpret_cast<const M*>(payload_.bytes().data()); }
  const M* operator->() const noexcept { return &**this; }
  /// Lets go of it now.
  void release() noexcept { payload_.release(); }

 private:
  HeldPayload payload_;
};

template <SlicedMessage M>
class Received<M> {
  using Element = typename SliceElement<M>::Type;

 public:
  explicit Received(HeldPayload payload) noexcept : payload_(std::move(payload)) {}
  std::span<const Element> operator*() const noexcept { return {data(), size()}; }
  const Element& operator[](std::size_t i) const noexcept { return data()[i]; }
  const Element* data() const noexcept { return reinterpret_cast<const Element*>(payload_.bytes().data()); }
  std::size_t size() const noexcept { return payload_.bytes().size() / sizeof(Element); }
  auto begin() const noexcept { return (**this).begin(); }
  auto end() const noexcept { return (**this).end(); }
  void release() noexcept { payload_.release(); }

 private:
  HeldPayload payload_;
};

template <TailedMessage M>
class Received<M> {
  using Head = typename TailedHead<M>::Type;

 public:
  explicit Received(HeldPayload payload) noexcept : payload_(std::move(payload)) {}
  const Head& operator*() const noexcept { return *reinterpret_cast<const Head*>(payload_.bytes().data()); }
  const Head* operator->() const noexcept { return &**this; }
  /// What a member names. Failures: corrupt (that does not lie in this message).
  template <class T>
  Result<std::span<const T>> tail(const Tail<T>& member) const {
    // Each is loaded once: who can still write there cannot make what was looked at another.
    const std::uint64_t at = load_once(member.at);
    const std::uint64_t count = load_once(member.count);
    const Bytes message = payload_.bytes();
    if (at % alignof(T) != 0 || at > message.size() || count > (message.size() - at) / sizeof(T)) {
      return fail(Error(Errc::corrupt, "tail").because("it does not lie in its message"));
    }
    return std::span<const T>(reinterpret_cast<const T*>(message.data() + at), count);
  }
  void release() noexcept { payload_.release(); }

 private:
  static std::uint64_t load_once(const std::uint64_t& word) noexcept {
    return *const_cast<const volatile std::uint64_t*>(&word);
  }
  HeldPayload payload_;
};

}  // namespace tenon
