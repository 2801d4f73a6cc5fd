#pragma once
/// The handle of a subscription to messages of variable length: Slice<T>, or Bytes. topic.hpp
#include <tenon/messaging/topic/subscriber.hpp>

#include <array>
#include <cstddef>

namespace tenon {

/// A received slice. A long one lies in the publisher's memory, read-only, and is held until this goes or is released;
/// a short one is a copy, which moves with this. It goes before its subscriber does.
template <SlicedMessage S>
class Sample<S> : public ReceivedMessage<MessageShape<S>::entry_words> {
  using Base = ReceivedMessage<MessageShape<S>::entry_words>;
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

 private:
  friend class Subscriber<S>;
  class Key {
    friend class Subscriber<S>;
    Key() = default;
  };

 public:
  /// For Subscriber<S> alone.
  template <class Copy>
  Sample(Key, typename Base::Port& port, typename Base::Connection& from, const Copy& copy,
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

template <SlicedMessage S>
class Subscriber<S> : public SubscriberHandle<MessageShape<S>::entry_words> {
  using Base = SubscriberHandle<MessageShape<S>::entry_words>;
  using Port = typename Base::Port;
  using Connection = typename Base::Connection;
  using Pinned = typename Base::Pinned;
  using Copy = typename Port::template Copy<MessageShape<S>::words>;
  using Base::port_;

 public:
  using Element = typename SliceElement<S>::Type;

  /// Joins the topic, which is made if nobody is in it, and hears what is published from now on. Failures:
  /// type_mismatch (naming the first field that differs from what its publishers have), no_space, limit_reached,
  /// permission_denied, invalid_name, invalid_argument, in_child.
  static Result<Subscriber> create(const Holder& holder, std::string_view topic,
                                   const SubscriberOptions& options = {}) {
    return Port::create(holder, topic, options, true, message_type<S>()).transform([](std::unique_ptr<Port> port) {
      return Subscriber(std::move(port));
    });
  }
  /// Bytes of shared memory that create() reserves; more than eight publishers at once take more.
  static std::uint64_t memory_needed(const SubscriberOptions& options = {}) noexcept {
    return OwnSubscriberFile::bytes_needed({.reliable = options.reliable, .max_held = options.max_held},
                                           message_type<S>());
  }

  /// The next message. Outcomes: timed_out, stopped; closed and peer_died (a publisher has closed or died, and all it
  /// published was received: told once, and the next call goes on with the others). Failures: limit_reached (so many
  /// are held), corrupt (a publisher wrote what cannot be), type_mismatch (a publisher of another type came), in_child.
  Result<Sample<S>> receive(Deadline deadline) {
    return take_one([&](Copy& copy) { return port_->look(copy, deadline); });
  }
  /// The same without waiting. Outcomes: would_block instead of timed_out.
  Result<Sample<S>> try_receive() {
    return take_one([&](Copy& copy) { return port_->look_and_listen(copy); });
  }

 private:
  explicit Subscriber(std::unique_ptr<Port> port) noexcept : Base(std::move(port)) {}

  // How long a chunk is, pin() knows.
  static bool is_sound(const MessageAbout& about) noexcept {
    const bool whole = about.bytes % sizeof(Element) == 0;
    return whole && (about.form == MessageForm::chunk ||
                     (about.form == MessageForm::inline_words && about.bytes <= Port::Entry::inline_bytes));
  }
  template <class Look>
  Result<Sample<S>> take_one(Look look) {
    return this->template take<Copy>(look, is_sound, [this](Connection& from, const Copy& copy, const Pinned& pinned) {
      return Result<Sample<S>>(std::in_place, typename Sample<S>::Key(), *port_, from, copy, pinned);
    });
  }
};

}  // namespace tenon
