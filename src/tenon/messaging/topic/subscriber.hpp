#pragma once
/// The handle of a subscription to messages of one size. topic.hpp
#include <tenon/messaging/topic/message_shape.hpp>
#include <tenon/messaging/topic/subscriber_port.hpp>

#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tenon {

/// Of Message or SlicedMessage.
template <class T>
class Subscriber;
template <class T>
class Sample;

/// What a received message is beside its value; it holds a long one.
template <std::size_t Words>
class ReceivedMessage {
 public:
  using Port = SubscriberPort<Words>;
  using Connection = typename Port::Connection;
  using Pinned = typename Port::Pinned;

  ReceivedMessage(ReceivedMessage&& other) noexcept
      : port_(other.port_),
        from_(other.from_),
        pin_(std::exchange(other.pin_, nullptr)),
        number_(other.number_),
        ticks_(other.ticks_),
        origin_(other.origin_),
        lost_before_(other.lost_before_) {}
  ReceivedMessage& operator=(ReceivedMessage&& other) noexcept {
    ReceivedMessage taken(std::move(other));
    std::swap(port_, taken.port_);
    std::swap(from_, taken.from_);
    std::swap(pin_, taken.pin_);
    std::swap(number_, taken.number_);
    std::swap(ticks_, taken.ticks_);
    std::swap(origin_, taken.origin_);
    std::swap(lost_before_, taken.lost_before_);
    return *this;
  }
  ReceivedMessage(const ReceivedMessage&) = delete;
  ReceivedMessage& operator=(const ReceivedMessage&) = delete;
  ~ReceivedMessage() { release(); }

  /// The how-manieth of its publisher's messages it is, from 0 on.
  std::uint64_t number() const noexcept { return number_; }
  /// How many messages of its publisher this subscriber lost just before it.
  std::uint64_t lost_before() const noexcept { return lost_before_; }
  /// When it was published: nanoseconds on CLOCK_MONOTONIC; 0 without timestamps.
  std::int64_t time() const noexcept { return time_of_message(ticks_, origin_); }
  /// The same, as the publisher's clock showed it: to be compared with others of that publisher, and costs nothing.
  std::uint64_t ticks() const noexcept { return ticks_; }

  /// Lets go of it now.
  void release() noexcept {
    if (pin_ != nullptr) {
      port_->unpin(*from_, *std::exchange(pin_, nullptr));
    }
  }

 protected:
  ReceivedMessage(Port& port, Connection& from, std::uint64_t ticks, std::atomic<std::uint32_t>* pin) noexcept
      : port_(&port),
        from_(&from),
        pin_(pin),
        number_(from.reader.next() - from.file.header().first),
        ticks_(ticks),
        origin_(from.origin),
        lost_before_(port.pass(from)) {}

 private:
  Port* port_;
  Connection* from_;
  std::atomic<std::uint32_t>* pin_;
  std::uint64_t number_;
  std::uint64_t ticks_;
  ClockOrigin origin_;
  std::uint64_t lost_before_;
};

/// What subscriptions of all types have.
template <std::size_t Words>
class SubscriberHandle {
 public:
  /// Messages that were overwritten before it had received them; also told by each sample.
  std::uint64_t lost() const noexcept { return port_->lost(); }
  /// Messages of the history asked for that were no longer there.
  std::uint64_t history_short() const noexcept { return port_->history_short(); }
  /// Of a subscription that is ordered_within: messages before which a later one was received, since their publisher
  /// took longer than that between its clock and its ring.
  std::uint64_t late() const noexcept { return port_->late(); }
  /// Publishers that it knows and that have not ended.
  std::size_t publishers() const noexcept { return port_->publishers(); }

  /// Readable while try_receive() may have something to say, for poll(2) and epoll(7): from the first call on, which
  /// makes it, and after each try_receive() that said would_block. It is readable once in each 50 ms too, since who
  /// should ring may die before, and lasts as long as the subscriber. Failures: limit_reached (descriptors), no_space,
  /// permission_denied, in_child.
  Result<FdView> fd() { return port_->fd(); }

  /// Leaves. Nothing of it is held any more, or the process ends. Failures: in_child.
  Result<void> close() && { return std::exchange(port_, nullptr)->close(); }

 protected:
  using Port = SubscriberPort<Words>;
  using Connection = typename Port::Connection;
  using Pinned = typename Port::Pinned;
  explicit SubscriberHandle(std::unique_ptr<Port> port) noexcept : port_(std::move(port)) {}

  // The message that `look` copies, if is_sound(what its entry says of it), as deliver() makes it.
  template <class Copy, class Look, class IsSound, class Deliver>
  auto take(Look look, IsSound is_sound, Deliver deliver)
      -> std::invoke_result_t<Deliver, Connection&, const Copy&, const Pinned&> {
    while (true) {
      Copy copy;
      auto from = look(copy);
      if (!from) {
        return fail(std::move(from.error()));
      }
      const MessageAbout about = MessageAbout::unpack(copy.about);
      if (!is_sound(about)) {
        return fail(this->pass_unsound(**from));
      }
      if (about.form == MessageForm::inline_words) {
        return deliver(**from, copy, Pinned{});
      }
      auto pinned = port_->pin(**from, copy.word[0], about.bytes);
      if (pinned) {
        return deliver(**from, copy, *pinned);
      }
      if (pinned.failed_with(Errc::corrupt)) {
        port_->pass(**from);
      }
      if (!pinned.failed_with(Errc::stale)) {
        return fail(std::move(pinned.error()));
      }
    }
  }
  Error pass_unsound(Connection& from) {
    port_->pass(from);
    return corrupt_endpoint(from.file.name(), "a message is not as long as its type says");
  }

  std::unique_ptr<Port> port_;
};

/// A received message. A long one lies in the publisher's memory, read-only, and is held until this goes or is
/// released; a short one is a copy. It goes before its subscriber does.
template <Message T>
class Sample<T> : public ReceivedMessage<MessageShape<T>::entry_words> {
  using Shape = MessageShape<T>;
  using Base = ReceivedMessage<Shape::entry_words>;

 public:
  const T& operator*() const noexcept { return *value(); }
  const T* operator->() const noexcept { return value(); }

 private:
  friend class Subscriber<T>;
  class Key {
    friend class Subscriber<T>;
    Key() = default;
  };

 public:
  /// For Subscriber<T> alone.
  template <class Copy>
  Sample(Key, typename Base::Port& port, typename Base::Connection& from, const Copy& copy,
         const typename Base::Pinned& pinned) noexcept
      : Base(port, from, copy.time, pinned.pin) {
    if constexpr (Shape::in_chunks) {
      value_ = reinterpret_cast<const T*>(pinned.message.data());
    } else {
      std::memcpy(static_cast<void*>(&value_), copy.word.data(), sizeof(T));
    }
  }

 private:
  const T* value() const noexcept {
    if constexpr (Shape::in_chunks) {
      return value_;
    } else {
      return &value_;
    }
  }

  std::conditional_t<Shape::in_chunks, const T*, T> value_;
};

template <Message T>
class Subscriber<T> : public SubscriberHandle<MessageShape<T>::entry_words> {
  using Shape = MessageShape<T>;
  using Base = SubscriberHandle<Shape::entry_words>;
  using Port = typename Base::Port;
  using Connection = typename Base::Connection;
  using Pinned = typename Base::Pinned;
  using Copy = typename Port::template Copy<Shape::words>;
  using Base::port_;

 public:
  /// Joins the topic, which is made if nobody is in it, and hears what is published from now on. Failures:
  /// type_mismatch (naming the first field that differs from what its publishers have), no_space, limit_reached,
  /// permission_denied, invalid_name, invalid_argument, in_child.
  static Result<Subscriber> create(const Holder& holder, std::string_view topic,
                                   const SubscriberOptions& options = {}) {
    return Port::create(holder, topic, options, Shape::in_chunks, message_type<T>())
        .transform([](std::unique_ptr<Port> port) { return Subscriber(std::move(port)); });
  }
  /// Bytes of shared memory that create() reserves; more than eight publishers at once take more.
  static std::uint64_t memory_needed(const SubscriberOptions& options = {}) noexcept {
    return OwnSubscriberFile::bytes_needed(
        {.reliable = options.reliable, .max_held = Shape::in_chunks ? options.max_held : 0}, message_type<T>());
  }

  /// The next message. Outcomes: timed_out, stopped; closed and peer_died (a publisher has closed or died, and all it
  /// published was received: told once, and the next call goes on with the others). Failures: limit_reached (so many
  /// are held), corrupt (a publisher wrote what cannot be), type_mismatch (a publisher of another type came), in_child.
  Result<Sample<T>> receive(Deadline deadline) {
    if constexpr (!Shape::in_chunks) {
      Copy copy;
      Connection* const from = port_->find(copy);
      if (from != nullptr && is_sound(MessageAbout::unpack(copy.about))) [[likely]] {
        return deliver(*from, copy, {});
      }
    }
    return take_one([&](Copy& copy) { return port_->look(copy, deadline); });
  }
  /// The same without waiting. Outcomes: would_block instead of timed_out.
  Result<Sample<T>> try_receive() {
    return take_one([&](Copy& copy) { return port_->look_and_listen(copy); });
  }
  /// Copies short messages of one publisher: those that are there, one at least and messages.size() at most. Returns
  /// how many; what was lost before or between them is told by lost() alone. Outcomes and failures: as receive().
  Result<std::size_t> receive_batch(std::span<T> messages, Deadline deadline)
    requires(!Shape::in_chunks)
  {
    expects(!messages.empty(), "there is room for one message at least");
    Copy copy;
    auto from = port_->look(copy, deadline);
    if (!from) {
      return fail(std::move(from.error()));
    }
    std::size_t taken = 0;
    bool another = true;
    while (another && is_sound(MessageAbout::unpack(copy.about))) {
      std::memcpy(static_cast<void*>(&messages[taken]), copy.word.data(), sizeof(T));
      ++taken;
      port_->take(**from);
      another = taken < messages.size() && port_->look_on(**from, copy);
    }
    if (taken == 0) {
      return fail(this->pass_unsound(**from));
    }
    port_->settle(**from, taken);
    return taken;
  }

 private:
  explicit Subscriber(std::unique_ptr<Port> port) noexcept : Base(std::move(port)) {}

  static bool is_sound(const MessageAbout& about) noexcept {
    return about.bytes == sizeof(T) &&
           about.form == (Shape::in_chunks ? MessageForm::chunk : MessageForm::inline_words);
  }
  // Made where it is returned to.
  Result<Sample<T>> deliver(Connection& from, const Copy& copy, const Pinned& pinned) {
    return Result<Sample<T>>(std::in_place, typename Sample<T>::Key(), *port_, from, copy, pinned);
  }
  template <class Look>
  Result<Sample<T>> take_one(Look look) {
    return this->template take<Copy>(look, is_sound, [this](Connection& from, const Copy& copy, const Pinned& pinned) {
      return deliver(from, copy, pinned);
    });
  }
};

}  // namespace tenon
