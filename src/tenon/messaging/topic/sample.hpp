#pragma once
/// What a subscriber receives. topic.hpp
#include <tenon/messaging/topic/message_shape.hpp>
#include <tenon/messaging/topic/subscriber_port.hpp>
#include <tenon/messaging/topic/tail.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

namespace tenon {

/// Of AnyMessage.
template <class M>
class Subscriber;
template <class M>
class Sample;

/// Lets subscribers alone make samples, where they are returned to.
class SampleKey {
  template <class M>
  friend class Subscriber;
  SampleKey() = default;
};

/// What is known of a received message beside its value.
template <std::size_t Words>
class ReceivedMessage {
 public:
  using Port = SubscriberPort<Words>;
  using Connection = typename Port::Connection;
  using Pinned = typename Port::Pinned;

  ReceivedMessage(ReceivedMessage&&) = default;
  ReceivedMessage& operator=(ReceivedMessage&&) = default;
  ReceivedMessage(const ReceivedMessage&) = delete;
  ReceivedMessage& operator=(const ReceivedMessage&) = delete;

  /// The how-manieth of its publisher's messages it is, from 0 on.
  std::uint64_t number() const noexcept { return number_; }
  /// How many messages of its publisher this subscriber lost just before it.
  std::uint64_t lost_before() const noexcept { return lost_before_; }
  /// When it was published: nanoseconds on CLOCK_MONOTONIC; 0 without timestamps.
  std::int64_t time() const noexcept { return time_of_message(ticks_, origin_); }
  /// The same, as the publisher's clock showed it: to be compared with others of that publisher, and costs nothing.
  std::uint64_t ticks() const noexcept { return ticks_; }

 protected:
  ReceivedMessage(Port& port, Connection& from, std::uint64_t ticks) noexcept
      : number_(from.reader.next() - from.file.header().first),
        ticks_(ticks),
        origin_(from.origin),
        lost_before_(port.pass(from)) {}
  ~ReceivedMessage() = default;

 private:
  std::uint64_t number_;
  std::uint64_t ticks_;
  ClockOrigin origin_;
  std::uint64_t lost_before_;
};

/// A message that is held, if it is a long one.
template <std::size_t Words>
class HeldMessage : public ReceivedMessage<Words> {
  using Base = ReceivedMessage<Words>;

 public:
  HeldMessage(HeldMessage&& other) noexcept
      : Base(std::move(other)), port_(other.port_), from_(other.from_), pin_(std::exchange(other.pin_, nullptr)) {}
  HeldMessage& operator=(HeldMessage&& other) noexcept {
    HeldMessage taken(std::move(other));
    Base::operator=(std::move(taken));
    std::swap(port_, taken.port_);
    std::swap(from_, taken.from_);
    std::swap(pin_, taken.pin_);
    return *this;
  }
  HeldMessage(const HeldMessage&) = delete;
  HeldMessage& operator=(const HeldMessage&) = delete;

  /// Lets go of it now.
  void release() noexcept {
    if (pin_ != nullptr) {
      port_->unpin(*from_, *std::exchange(pin_, nullptr));
    }
  }

 protected:
  HeldMessage(typename Base::Port& port, typename Base::Connection& from, std::uint64_t ticks,
              std::atomic<std::uint32_t>* pin) noexcept
      : Base(port, from, ticks), port_(&port), from_(&from), pin_(pin) {}
  ~HeldMessage() { release(); }

 private:
  typename Base::Port* port_;
  typename Base::Connection* from_;
  std::atomic<std::uint32_t>* pin_;
};

/// A message that was copied: there is nothing to hold.
template <std::size_t Words>
class CopiedMessage : public ReceivedMessage<Words> {
 public:
  /// As of one that is held.
  void release() noexcept {}

 protected:
  using ReceivedMessage<Words>::ReceivedMessage;
};

/// A received message. A long one lies in the publisher's memory, read-only, and is held until this goes or is
/// released. It goes before its subscriber does.
template <Message T>
  requires(MessageShape<T>::in_chunks)
class Sample<T> : public HeldMessage<MessageShape<T>::entry_words> {
  using Base = HeldMessage<MessageShape<T>::entry_words>;

 public:
  const T& operator*() const noexcept { return *value_; }
  const T* operator->() const noexcept { return value_; }

  /// For Subscriber<T> alone.
  template <class Copy>
  Sample(SampleKey, typename Base::Port& port, typename Base::Connection& from, const Copy& copy,
         const typename Base::Pinned& pinned) noexcept
      : Base(port, from, copy.time, pinned.pin), value_(reinterpret_cast<const T*>(pinned.message.data())) {}

 private:
  const T* value_;
};

/// Of a short message: a copy, which may outlive its subscriber.
template <Message T>
class Sample<T> : public CopiedMessage<MessageShape<T>::entry_words> {
  using Base = CopiedMessage<MessageShape<T>::entry_words>;

 public:
  const T& operator*() const noexcept { return value_; }
  const T* operator->() const noexcept { return &value_; }

  /// For Subscriber<T> alone.
  template <class Copy>
  Sample(SampleKey, typename Base::Port& port, typename Base::Connection& from, const Copy& copy) noexcept
      : Base(port, from, copy.time) {
    MessageShape<T>::take_words(value_, copy.word);
  }

 private:
  T value_;
};

/// A received slice. A long one lies in the publisher's memory, read-only, and is held until this goes or is released;
/// a short one is a copy, which moves with this. It goes before its subscriber does.
template <SlicedMessage S>
class Sample<S> : public HeldMessage<MessageShape<S>::entry_words> {
  using Base = HeldMessage<MessageShape<S>::entry_words>;
  using Element = typename SliceElement<S>::Type;

 public:
  std::span<const Element> operator*() const noexcept { return {data(), size_}; }
  const Element& operator[](std::size_t i) const noexcept { return data()[i]; }
  const Element* data() const noexcept {
    return reinterpret_cast<const Element*>(chunk_ != nullptr ? chunk_ : copy_.data());
  }
  std::size_t size() const noexcept { return size_; }
  auto begin() const noexcept { return (**this).begin(); }
  auto end() const noexcept { return (**this).end(); }

  /// For Subscriber<S> alone.
  template <class Copy>
  Sample(SampleKey, typename Base::Port& port, typename Base::Connection& from, const Copy& copy,
         const typename Base::Pinned& pinned) noexcept
      : Base(port, from, copy.time, pinned.pin),
        size_(MessageAbout::unpack(copy.about).bytes / sizeof(Element)),
        chunk_(pinned.pin != nullptr ? pinned.message.data() : nullptr) {
    if (chunk_ == nullptr) {
      std::memcpy(copy_.data(), copy.word.data(), size_ * sizeof(Element));
    }
  }

 private:
  std::size_t size_;
  const std::byte* chunk_;
  alignas(Element) std::array<std::byte, Base::Port::Entry::inline_bytes> copy_;
};

/// A received message with a tail. It lies in the publisher's memory, read-only, and is held until this goes or is
/// released. It goes before its subscriber does.
template <TailedMessage M>
class Sample<M> : public HeldMessage<MessageShape<M>::entry_words> {
  using Base = HeldMessage<MessageShape<M>::entry_words>;
  using Head = typename TailedHead<M>::Type;

 public:
  const Head& operator*() const noexcept { return *reinterpret_cast<const Head*>(message_.data()); }
  const Head* operator->() const noexcept { return &**this; }

  /// What a member names. Failures: corrupt (that does not lie in this message).
  template <class T>
  Result<std::span<const T>> tail(const Tail<T>& member) const {
    // Each is loaded once: who can still write there cannot make what was looked at another.
    const std::uint64_t at = load_once(member.at);
    const std::uint64_t count = load_once(member.count);
    const std::uint64_t bytes = message_.size();
    if (at % alignof(T) != 0 || at > bytes || count > (bytes - at) / sizeof(T)) {
      return fail(Error(Errc::corrupt, "tail").because("it does not lie in its message"));
    }
    return std::span<const T>(reinterpret_cast<const T*>(message_.data() + at), count);
  }

  /// For Subscriber<M> alone.
  template <class Copy>
  Sample(SampleKey, typename Base::Port& port, typename Base::Connection& from, const Copy& copy,
         const typename Base::Pinned& pinned) noexcept
      : Base(port, from, copy.time, pinned.pin), message_(pinned.message) {}

 private:
  static std::uint64_t load_once(const std::uint64_t& word) noexcept {
    return *const_cast<const volatile std::uint64_t*>(&word);
  }

  Bytes message_;
};

}  // namespace tenon
