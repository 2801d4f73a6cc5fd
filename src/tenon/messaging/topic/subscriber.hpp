#pragma once
/// The handle of a subscription. topic.hpp
#include <tenon/messaging/topic/sample.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace tenon {

template <class M>
class Subscriber {
  static_assert(AnyMessage<M>, "a topic's messages are trivially copyable and have a name: topic.hpp");
  using Shape = MessageShape<M>;
  using Port = SubscriberPort<Shape::entry_words>;
  using Connection = typename Port::Connection;
  using Pinned = typename Port::Pinned;
  using Copy = typename Port::template Copy<Shape::words>;

 public:
  /// Joins the topic, which is made if nobody is in it, and hears what is published from now on. Failures:
  /// type_mismatch (naming the first field that differs from what its publishers have), no_space, limit_reached,
  /// permission_denied, invalid_name, invalid_argument, in_child.
  static Result<Subscriber> create(const Holder& holder, std::string_view topic,
                                   const SubscriberOptions& options = {}) {
    return Port::create(holder, topic, options, Shape::in_chunks, Shape::type())
        .transform([](std::unique_ptr<Port> port) { return Subscriber(std::move(port)); });
  }
  /// Bytes of shared memory that create() reserves; more than eight publishers at once take more.
  static std::uint64_t memory_needed(const SubscriberOptions& options = {}) noexcept {
    return OwnSubscriberFile::bytes_needed(
        {.reliable = options.reliable, .max_held = Shape::in_chunks ? options.max_held : 0}, Shape::type());
  }

  /// The next message. Outcomes: timed_out, stopped; closed and peer_died (a publisher has closed or died, and all it
  /// published was received: told once, and the next call goes on with the others). Failures: limit_reached (so many
  /// are held), corrupt (a publisher wrote what cannot be), type_mismatch (a publisher of another type came), in_child.
  Result<Sample<M>> receive(Deadline deadline) {
    if constexpr (!Shape::in_chunks) {
      Copy copy;  // of its own, which no call is given: it stays in registers
      Connection* const from = port_->find_soon(copy, deadline);
      if (from != nullptr && Shape::is_sound(MessageAbout::unpack(copy.about))) [[likely]] {
        return deliver(*from, copy);
      }
    }
    return take_one([&](Copy& copy) { return port_->look(copy, deadline); });
  }
  /// The same without waiting. Outcomes: would_block instead of timed_out.
  Result<Sample<M>> try_receive() {
    return take_one([&](Copy& copy) { return port_->look_and_listen(copy); });
  }
  /// Copies short messages of one publisher: those that are there, one at least and messages.size() at most. Returns
  /// how many; what was lost before or between them is told by lost() alone. Outcomes and failures: as receive().
  Result<std::size_t> receive_batch(std::span<M> messages, Deadline deadline)
    requires(!Shape::in_chunks)
  {
    expects(!messages.empty(), "there is room for one message at least");
    if (const std::size_t taken = take_at_once(messages, deadline); taken != 0) [[likely]] {
      return taken;
    }
    Copy copy;
    auto from = port_->look(copy, deadline);
    if (!from) {
      return fail(std::move(from.error()));
    }
    const std::size_t taken = take_batch(**from, copy, messages, [&] { return port_->look_on(**from, copy); });
    return taken != 0 ? Result<std::size_t>(taken) : fail(pass_unsound(**from));
  }
  /// Appends messages that are there, one at least and `most` at most, of any publisher. Returns how many. Outcomes and
  /// failures, if there is none: as receive(); what comes after the first message that cannot be had is told next time.
  Result<std::size_t> receive_batch(std::vector<Sample<M>>& messages, std::size_t most, Deadline deadline) {
    expects(most > 0, "there is room for one message at least");
    auto first = receive(deadline);
    if (!first) {
      return fail(std::move(first.error()));
    }
    messages.push_back(std::move(*first));
    std::size_t taken = 1;
    const auto look = [this](Copy& copy) -> Result<Connection*> {
      Connection* const from = port_->find_any(copy);
      return from != nullptr ? Result<Connection*>(from) : fail(Errc::would_block, "receive");
    };
    for (; taken < most; ++taken) {
      auto next = take_one(look);
      if (!next) {
        port_->tell_later(std::move(next.error()));
        break;
      }
      messages.push_back(std::move(*next));
    }
    return taken;
  }

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
  /// permission_denied, would_block (somebody keeps the topic's directory locked for seconds), in_child.
  Result<FdView> fd() { return port_->fd(); }

  /// Leaves. Nothing of it is held any more, or the process ends. Failures: in_child.
  Result<void> close() && { return std::exchange(port_, nullptr)->close(); }

 private:
  explicit Subscriber(std::unique_ptr<Port> port) noexcept : port_(std::move(port)) {}

  // The message that `look` copies.
  template <class Look>
  Result<Sample<M>> take_one(Look look) {
    while (true) {
      Copy copy;
      auto from = look(copy);
      if (!from) {
        return fail(std::move(from.error()));
      }
      const MessageAbout about = MessageAbout::unpack(copy.about);
      if (!Shape::is_sound(about)) {
        return fail(pass_unsound(**from));
      }
      if constexpr (!Shape::in_chunks) {
        return deliver(**from, copy);
      } else {
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
  }
  // Those of one publisher that are there, up to the first of which there is more to say.
  std::size_t take_at_once(std::span<M> messages, Deadline deadline)
    requires(!Shape::in_chunks)
  {
    Copy copy;  // as that of receive()
    Connection* const from = port_->find_soon(copy, deadline);
    return from == nullptr ? 0 : take_batch(*from, copy, messages, [&] { return port_->look_on_at_once(*from, copy); });
  }
  // The one that was looked at, and those that look_on() copies after it, up to the first that is not sound.
  template <class LookOn>
  [[gnu::always_inline]] std::size_t take_batch(Connection& from, const Copy& copy, std::span<M> messages,
                                                LookOn look_on) {
    std::size_t taken = 0;
    bool another = true;
    while (another && Shape::is_sound(MessageAbout::unpack(copy.about))) {
      Shape::take_words(messages[taken], copy.word);
      ++taken;
      port_->take(from);
      another = taken < messages.size() && look_on();
    }
    if (taken != 0) {
      port_->settle(from, taken);
    }
    return taken;
  }
  Error pass_unsound(Connection& from) {
    port_->pass(from);
    return corrupt_endpoint(from.file.name(), "a message is not as long as its type says");
  }

  // Made where it is returned to.
  template <class... Held>
  Result<Sample<M>> deliver(Connection& from, const Copy& copy, const Held&... pinned) {
    return Result<Sample<M>>(std::in_place, SampleKey(), *port_, from, copy, pinned...);
  }

  std::unique_ptr<Port> port_;
};

}  // namespace tenon
