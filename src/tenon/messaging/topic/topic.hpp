#pragma once
/// Publish and subscribe, without a daemon and without a copy that can be avoided. README.md
///
///     Publisher<Pose> publisher = Publisher<Pose>::create(holder, "pose").or_throw();
///     publisher.publish({.x = 1, .y = 2, .heading = 0}, never).or_throw();
///
///     Subscriber<Pose> subscriber = Subscriber<Pose>::create(holder, "pose").or_throw();
///     const Sample<Pose> pose = subscriber.receive(after(1s)).or_throw();
///
/// Messages of up to 104 bytes travel in the ring itself; longer ones are written into a chunk of the publisher's
/// memory, and read there. What is shared is written by one process each: topic_layout.hpp.
///
/// Threads: each handle, with what it lends, by one thread at a time; different handles at once. A forked child's copy
/// answers in_child. Who a process is, Holder says (sync/holder), which outlives all its handles.
#include <tenon/messaging/topic/publisher_port.hpp>
#include <tenon/messaging/topic/subscriber_port.hpp>

#include <concepts>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

namespace tenon {

/// What may be a message: it means the same wherever its bytes are mapped, and has a name.
template <class T>
concept Message =
    std::is_trivially_copyable_v<T> && std::default_initializable<T> && NamedType<T> && alignof(T) <= cache_line;

/// How messages of a type travel.
template <class T>
struct MessageShape {
  static constexpr bool in_chunks = sizeof(T) > 104;
  static constexpr std::size_t entry_words = sizeof(T) > 40 && !in_chunks ? 13 : 5;
  static constexpr std::size_t words = in_chunks ? 1 : (sizeof(T) + 7) / 8;  ///< of an entry that it needs
};

template <Message T>
class Publisher;

/// Room for a message, to be written in place and published. Dropped, it goes back.
template <Message T>
class Loan {
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
class Publisher {
  using Shape = MessageShape<T>;
  using Port = PublisherPort<Shape::entry_words>;

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
        return publish_chunk(chunk, deadline);
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

  /// How far each subscriber has come, and what it holds.
  std::vector<SubscriberStanding> subscribers() { return port_->subscribers(); }
  /// The number of messages that it has sent.
  std::uint64_t published() const noexcept { return port_->next(); }

  /// Says that nothing more comes. Subscribers receive what is there, and then `closed`. Failures: in_child.
  Result<void> close() && { return std::exchange(port_, nullptr)->close(); }

 private:
  explicit Publisher(std::unique_ptr<Port> port) noexcept : port_(std::move(port)) {}
  static Result<PublisherShape> shape(const PublisherOptions& options) {
    return shape_of(options, sizeof(T), sizeof(typename Port::Entry), Shape::in_chunks);
  }
  Result<void> publish_chunk(std::uint32_t chunk, Deadline deadline) {
    auto published = port_->publish_chunk(chunk, sizeof(T), deadline);
    if (!published) {
      port_->put_back(chunk);
    }
    return published;
  }

  std::unique_ptr<Port> port_;
};

template <Message T>
class Subscriber;

/// A received message. A long one lies in the publisher's memory, read-only, and is held until this goes or is
/// released; a short one is a copy. It goes before its subscriber does.
template <Message T>
class Sample {
 public:
  Sample(Sample&& other) noexcept
      : port_(other.port_),
        from_(other.from_),
        pin_(std::exchange(other.pin_, nullptr)),
        number_(other.number_),
        ticks_(other.ticks_),
        origin_(other.origin_),
        lost_before_(other.lost_before_),
        value_(other.value_) {}
  Sample& operator=(Sample&& other) noexcept {
    Sample taken(std::move(other));
    std::swap(port_, taken.port_);
    std::swap(from_, taken.from_);
    std::swap(pin_, taken.pin_);
    std::swap(number_, taken.number_);
    std::swap(ticks_, taken.ticks_);
    std::swap(origin_, taken.origin_);
    std::swap(lost_before_, taken.lost_before_);
    std::swap(value_, taken.value_);
    return *this;
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;
  ~Sample() { release(); }

  const T& operator*() const noexcept { return *value(); }
  const T* operator->() const noexcept { return value(); }

  /// The how-manieth of its publisher's messages it is, from 0 on.
  std::uint64_t number() const noexcept { return number_; }
  /// How many messages of its publisher this subscriber lost just before it.
  std::uint64_t lost_before() const noexcept { return lost_before_; }
  /// When it was published: nanoseconds on CLOCK_MONOTONIC; 0 without timestamps.
  std::int64_t time() const noexcept { return time_of_message(ticks_, origin_); }

  /// Lets go of it now.
  void release() noexcept {
    if (pin_ != nullptr) {
      port_->unpin(*from_, *std::exchange(pin_, nullptr));
    }
  }

 private:
  friend class Subscriber<T>;
  using Shape = MessageShape<T>;
  using Port = SubscriberPort<Shape::entry_words>;
  using Connection = typename Port::Connection;

  class Key {
    friend class Subscriber<T>;
    Key() = default;
  };

 public:
  /// For Subscriber<T> alone.
  Sample(Key, Port& port, Connection& from, std::uint64_t ticks) noexcept
      : port_(&port),
        from_(&from),
        number_(from.reader.next() - from.file.header().first),
        ticks_(ticks),
        origin_(from.origin) {}

 private:
  const T* value() const noexcept {
    if constexpr (Shape::in_chunks) {
      return value_;
    } else {
      return &value_;
    }
  }

  Port* port_;
  Connection* from_;
  std::atomic<std::uint32_t>* pin_ = nullptr;
  std::uint64_t number_;
  std::uint64_t ticks_;
  ClockOrigin origin_;
  std::uint64_t lost_before_ = 0;
  std::conditional_t<Shape::in_chunks, const T*, T> value_;
};

template <Message T>
class Subscriber {
  using Shape = MessageShape<T>;
  using Port = SubscriberPort<Shape::entry_words>;
  using Connection = typename Port::Connection;
  using Copy = typename Port::template Copy<Shape::words>;

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
      if (from != nullptr && is_sound(copy)) [[likely]] {
        return deliver(*from, copy, nullptr, Bytes());
      }
    }
    return take([&](Copy& copy) { return port_->look(copy, deadline); });
  }
  /// The same without waiting. Outcomes: would_block instead of timed_out.
  Result<Sample<T>> try_receive() {
    return take([&](Copy& copy) { return port_->try_look(copy); });
  }

  /// Messages that were overwritten before it had received them; also told by each sample.
  std::uint64_t lost() const noexcept { return port_->lost(); }
  /// Messages of the history asked for that were no longer there.
  std::uint64_t history_short() const noexcept { return port_->history_short(); }
  /// Publishers that it knows and that have not ended.
  std::size_t publishers() const noexcept { return port_->publishers(); }

  /// Leaves. Nothing of it is held any more, or the process ends. Failures: in_child.
  Result<void> close() && { return std::exchange(port_, nullptr)->close(); }

 private:
  explicit Subscriber(std::unique_ptr<Port> port) noexcept : port_(std::move(port)) {}

  static bool is_sound(const Copy& copy) noexcept {
    const MessageAbout about = MessageAbout::unpack(copy.about);
    return about.bytes == sizeof(T) &&
           about.form == (Shape::in_chunks ? MessageForm::chunk : MessageForm::inline_words);
  }
  // Made where it is returned to.
  Result<Sample<T>> deliver(Connection& from, const Copy& copy, std::atomic<std::uint32_t>* pin, Bytes message) {
    Result<Sample<T>> sample(std::in_place, typename Sample<T>::Key(), *port_, from, copy.time);
    if constexpr (Shape::in_chunks) {
      sample->pin_ = pin;
      sample->value_ = reinterpret_cast<const T*>(message.data());
    } else {
      std::memcpy(static_cast<void*>(&sample->value_), copy.word.data(), sizeof(T));
    }
    sample->lost_before_ = port_->pass(from);
    return sample;
  }
  // What `look` finds, of which it makes a copy.
  template <class Look>
  Result<Sample<T>> take(Look look) {
    while (true) {
      Copy copy;
      auto from = look(copy);
      if (!from) {
        return fail(std::move(from.error()));
      }
      if (!is_sound(copy)) {
        port_->pass(**from);
        return fail(corrupt_endpoint((*from)->file.name(), "a message is not as long as its type"));
      }
      if constexpr (!Shape::in_chunks) {
        return deliver(**from, copy, nullptr, Bytes());
      } else if (auto pinned = port_->pin(**from, copy.word[0], sizeof(T)); pinned) {
        return deliver(**from, copy, pinned->pin, pinned->message);
      } else if (!pinned.failed_with(Errc::stale)) {
        if (pinned.failed_with(Errc::corrupt)) {
          port_->pass(**from);
        }
        return fail(std::move(pinned.error()));
      }
    }
  }

  std::unique_ptr<Port> port_;
};

}  // namespace tenon
