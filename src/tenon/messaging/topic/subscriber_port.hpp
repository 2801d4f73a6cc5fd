#pragma once
/// A subscription without its type: what it does for each message stands here, and what it does once in a while in the
/// source. Subscriber<T> of topic.hpp is the handle.
///
/// 4. Edges: those of message_ring.hpp (M1, M2, M3), chunk_pool.hpp (C1, C2, C3), gate_scan.hpp (G1, G2, G3) and
///    topic_bell.hpp (B1, B2), and of its own:
///      T1  store-release closed (PublisherPort) → load-acquire (has_ended): what was published before is seen by the
///          look that follows.
///      T2  store-release joined (create_in), after the looks for the heads → load-acquire (standings): it begins no
///          later than with what its publisher sends after it has seen this.
///
/// Threads: one at a time, and so what it has lent. After fork() the child's copy answers in_child.
#include <tenon/base/deadline.hpp>
#include <tenon/messaging/topic/chunk_pool.hpp>
#include <tenon/messaging/topic/gate_scan.hpp>
#include <tenon/messaging/topic/message_clock.hpp>
#include <tenon/messaging/topic/message_ring.hpp>
#include <tenon/messaging/topic/publisher_file.hpp>
#include <tenon/messaging/topic/subscriber_file.hpp>
#include <tenon/messaging/topic/time_order.hpp>
#include <tenon/messaging/topic/topic_census.hpp>
#include <tenon/messaging/topic/topic_options.hpp>
#include <tenon/messaging/topic/wake_socket.hpp>
#include <tenon/os/fork_count.hpp>
#include <tenon/os/own_processor.hpp>
#include <tenon/os/stop.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon {

template <std::size_t Words>
class alignas(128) SubscriberPort {
 public:
  using Entry = MessageEntry<Words>;
  using Ring = MessageRing<Entry>;
  template <std::size_t N>
  using Copy = typename Ring::template Copy<N>;

  /// A publisher, as this subscription sees it.
  struct alignas(128) Connection {
    PublisherFile file;
    typename Ring::Reader reader;
    RowView row;
    std::uint64_t joined_at;  ///< what lies before is history
    ClockOrigin origin;
    std::uint64_t left_out = 0;  ///< lost since the last message that was received
    std::uint64_t ring_each;     ///< so many messages are received before room is rung for
    std::uint64_t unrung = 0;    ///< messages since that
    std::uint32_t held = 0;
    std::uint16_t processor = 0;  ///< on which it published last
    bool ended = false;           ///< nothing more comes: what is there is received yet
    bool died = false;
    bool told = false;  ///< and its end was told: it stays for what is held of it
  };
  struct Pinned {
    std::atomic<std::uint32_t>* pin = nullptr;
    Bytes message = {};
  };

  static Result<std::unique_ptr<SubscriberPort>> create(const Holder& holder, std::string_view topic,
                                                        const SubscriberOptions& options, bool in_chunks,
                                                        const MessageType& type);
  /// The same in a directory that was entered, by this token, which nobody has had before. What `type` names lives as
  /// long as this.
  static Result<std::unique_ptr<SubscriberPort>> create_at(TopicFolder folder, const Holder& holder,
                                                           const SubscriberOptions& options, bool in_chunks,
                                                           const MessageType& type, Token token);
  /// Leaves, and drops the error. Nothing is held any more.
  ~SubscriberPort();
  SubscriberPort(const SubscriberPort&) = delete;
  SubscriberPort& operator=(const SubscriberPort&) = delete;

  /// As look(), where a message is there or as good as on its way, and nothing else is to be said: else nullptr, and
  /// look() says what. `copy` needs no place in memory unless the caller gives it one.
  template <std::size_t N>
  [[gnu::always_inline]] Connection* find_soon(Copy<N>& copy, Deadline deadline) {
    for (bool waited = false;; waited = true) {
      Connection* const found = find_at_once(copy);
      if (found != nullptr || waited || deadline.is_immediate() || !await_soon()) {
        return found;
      }
    }
  }
  /// The message after the one that was taken, if it is there and of the same publisher; for who found that one at
  /// once.
  template <std::size_t N>
  bool look_on_at_once(Connection& from, Copy<N>& copy) {
    return from.reader.look(copy) == Ring::Seen::message;
  }
  /// As try_look(), for those whose message is there: else nullptr, and try_look() says why.
  template <std::size_t N>
  Connection* find_any(Copy<N>& copy) {
    return is_of_this_process() && !tell_before_messages_ ? find_next(copy) : nullptr;
  }
  /// Copies the next message of any publisher, and stays there: pin(), pass() or both follow. Outcomes: would_block;
  /// closed, peer_died (a publisher has ended, and this is told once when all of it was received).
  template <std::size_t N>
  Result<Connection*> try_look(Copy<N>& copy) {
    if (is_of_this_process() && std::exchange(tell_before_messages_, false)) [[unlikely]] {
      if (Result<Connection*> end = tell_next_end(); !end.failed_with(Errc::would_block)) {
        return end;
      }
    }
    while (true) {
      if (Connection* const found = find_any(copy); found != nullptr) {
        return found;
      }
      Result<Connection*> nothing = nothing_new();
      // An end that is told now is told to the caller, also where somebody new was met at the same look.
      if (!std::exchange(look_again_, false) || !nothing.failed_with(Errc::would_block)) {
        return nothing;
      }
    }
  }
  /// The same, of who polls: once it said would_block, fd() is readable as soon as there is something.
  template <std::size_t N>
  Result<Connection*> look_and_listen(Copy<N>& copy) {
    Result<Connection*> found = try_look(copy);
    // Whoever rings between two of these looks may have read what was told before; who rings all the time only wants to
    // be waited for, and the clock rings too.
    for (int rung = 0; rung < 16 && wake_ && found.failed_with(Errc::would_block); ++rung) {
      const std::uint32_t told = listen();
      found = try_look(copy);
      if (found.failed_with(Errc::would_block) && bell_->messages.is_quiet_since(told)) {
        wake_->ring_at(order_.due());
        break;
      }
    }
    return found;
  }
  /// The same, waiting. Outcomes: also timed_out, stopped.
  template <std::size_t N>
  Result<Connection*> look(Copy<N>& copy, Deadline deadline) {
    while (true) {
      Result<Connection*> found = try_look(copy);
      if (!found.failed_with(Errc::would_block)) [[likely]] {
        return found;
      }
      if (deadline.is_immediate()) {
        return fail(stop_requested(deadline) ? Errc::stopped : Errc::timed_out, "receive");
      }
      if (found = spin(copy, deadline); !found.failed_with(Errc::would_block)) {
        return found;
      }
      const std::uint32_t told = announce();
      found = try_look(copy);
      if (!found.failed_with(Errc::would_block)) {
        return found;
      }
      if (auto slept = sleep(told, deadline); !slept) {
        found = try_look(copy);
        return found.failed_with(Errc::would_block) ? Result<Connection*>(fail(std::move(slept.error())))
                                                    : std::move(found);
      }
    }
  }

  /// Holds the chunk of the message that was looked at. Outcomes: stale (it was overwritten meanwhile: look again).
  /// Failures: limit_reached (so many are held already), corrupt (the entry names what is not there).
  Result<Pinned> pin(Connection& from, std::uint64_t chunk, std::uint64_t bytes);
  void unpin(Connection& from, std::atomic<std::uint32_t>& pin) noexcept;
  /// Copies the next message of this publisher, if it is there, and stays there.
  template <std::size_t N>
  bool look_at(Connection& from, Copy<N>& copy) {
    if (options_.newest_only) {
      from.reader.skip_to(newest_of(from));
    }
    // A publisher that overtakes more often than this, or whose numbers make no sense, has nothing at this look.
    for (int overtaken = 0; overtaken < 16; ++overtaken) {
      const auto seen = from.reader.look(copy);
      if (seen != Ring::Seen::gap) [[likely]] {
        if (seen == Ring::Seen::message) {
          from.processor = MessageAbout::unpack(copy.about).processor;
          return true;
        }
        return false;
      }
      count_gap(from);
    }
    return false;
  }
  /// Copies the message that comes after the one that was taken, if it is of the same publisher, and stays there.
  template <std::size_t N>
  bool look_on(Connection& from, Copy<N>& copy) {
    return order_.is_wanted() ? find_oldest(copy) == &from : look_at(from, copy);
  }
  /// Goes on behind the message that was looked at; returns how many were lost before it.
  std::uint64_t pass(Connection& from) noexcept {
    const std::uint64_t lost_before = take(from);
    settle(from, 1);
    return lost_before;
  }
  /// The same, of which the publisher is not told before settle().
  std::uint64_t take(Connection& from) noexcept {
    from.reader.advance();
    if (order_.is_wanted()) [[unlikely]] {
      order_.pass();
    }
    return std::exchange(from.left_out, 0);
  }
  /// Tells the publisher that the reader has gone on by `messages`.
  void settle(Connection& from, std::uint64_t messages) noexcept {
    const std::uint64_t next = from.reader.next();
    if (static_cast<std::int64_t>(next - from.joined_at) > 0) [[likely]] {  // history is behind the gate already
      set_gate(from.row.row->gate, next);
    }
    std::atomic<std::uint64_t>& received = from.row.row->received;
    const std::uint64_t before = received.load(std::memory_order_relaxed);  // own count
    received.store(before + messages, std::memory_order_relaxed);           // own count, for people
    from.unrung += messages;
    if (from.unrung >= from.ring_each) {
      ring_for_room(from);
      look_while_busy();
    }
    turn_ = turn_ + 1 < connections_.size() ? turn_ + 1 : 0;  // the next publisher's turn
    fresh_ = true;
  }

  /// A failure that was met behind messages that were received: the next look says it. Not one that
  /// will be met again.
  void tell_later(Error error) {
    if (!(error == Errc::would_block) && !(error == Errc::limit_reached) && !untold_) {
      untold_ = std::move(error);
    }
    tell_before_messages_ = untold_.has_value();
  }

  std::uint64_t lost() const noexcept { return lost_; }
  std::uint64_t history_short() const noexcept { return history_short_; }
  std::uint64_t late() const noexcept { return order_.late(); }
  /// Whose end was told last.
  const std::optional<EndpointName>& last_ended() const noexcept { return last_ended_; }
  /// Looks who is there, and whether something may come of the publisher that has this token: it may, until its end was
  /// told.
  bool hears(Token publisher);
  /// Publishers that have not ended, as of the last look.
  std::size_t publishers() const noexcept;
  std::size_t held() const noexcept { return held_; }
  bool is_of_this_process() const noexcept { return ForkCount::now() == fork_; }
  /// Made by the first call. Failures: limit_reached, no_space, permission_denied, in_child.
  Result<FdView> fd();
  Result<void> close();

 private:
  SubscriberPort(const Holder& holder, const SubscriberOptions& options, const MessageType& type, TopicFolder folder,
                 OwnSubscriberFile own, bool registered);
  static Result<std::unique_ptr<SubscriberPort>> create_in(TopicFolder& folder, const Holder& holder,
                                                           const SubscriberOptions& options, bool in_chunks,
                                                           const MessageType& type, Token token);

  template <std::size_t N>
  [[gnu::always_inline]] Connection* find_at_once(Copy<N>& copy) {
    if (!is_of_this_process() || tell_before_messages_ || !takes_turns_) [[unlikely]] {
      return nullptr;
    }
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      Connection& from = *connections_[turn_];
      const auto seen = from.reader.look(copy);
      if (seen == Ring::Seen::message) [[likely]] {
        from.processor = MessageAbout::unpack(copy.about).processor;
        return &from;
      }
      if (seen == Ring::Seen::gap) {
        return nullptr;
      }
      turn_ = turn_ + 1 < connections_.size() ? turn_ + 1 : 0;
    }
    return nullptr;
  }
  template <std::size_t N>
  Connection* find_next(Copy<N>& copy) {
    if (order_.is_wanted()) [[unlikely]] {
      return find_oldest(copy);
    }
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      Connection& from = *connections_[turn_];
      if (look_at(from, copy)) [[likely]] {
        return &from;
      }
      turn_ = turn_ + 1 < connections_.size() ? turn_ + 1 : 0;
    }
    return nullptr;
  }
  template <std::size_t N>
  Connection* find_oldest(Copy<N>& copy) {
    constexpr int most_turns = 4;
    for (int turn = 1;; ++turn) {
      Connection* const oldest = look_for_oldest();
      if (oldest == nullptr) {
        return nullptr;
      }
      const std::uint64_t counted = oldest->reader.next();
      if (!look_at(*oldest, copy)) {
        if (turn == most_turns) {
          return nullptr;
        }
        continue;  // it was taken back, and another is the oldest now
      }
      // Else it was overtaken since it was counted, and another may be older. Not without end: what is newer than it
      // seemed is told as it is.
      if (oldest->reader.next() == counted || turn == most_turns) {
        order_.stamp(copy.time, oldest->origin);
        return oldest;
      }
    }
  }
  Connection* look_for_oldest() {
    order_.begin();
    for (const auto& from : connections_) {
      Copy<1> seen;
      if (look_at(*from, seen)) {
        order_.count(*from, seen.time, from->origin);
      } else if (!from->ended) {
        order_.count_silent();
      }
    }
    return order_.next();
  }
  // Looks for as long as the subscription chose to, and now and then at all else.
  template <std::size_t N>
  Result<Connection*> spin(Copy<N>& copy, Deadline deadline) {
    const std::uint64_t looks = spins();
    for (std::uint64_t i = 1; i <= looks; ++i) {
      if (Connection* const found = find_next(copy); found != nullptr) {
        return found;
      }
      if (i > looks_in_a_row) {
        pause_processor();
      }
      if (i % looks_between_clocks == 0) {
        empty_looks_ = looks_between_names;
        Result<Connection*> found = try_look(copy);
        if (!found.failed_with(Errc::would_block)) {
          return found;
        }
        if (auto over = time_is_over(deadline); !over) {
          return fail(std::move(over.error()));
        }
      }
    }
    return fail(Errc::would_block, "receive");
  }
  static constexpr std::uint64_t looks_between_clocks = 1024;
  // A pause costs as much as some thirty looks: whose message is on its way has it sooner without.
  static constexpr std::uint64_t looks_in_a_row = 512;
  // An empty look is cheap, and who polls makes many: names are looked at once for so many of them.
  static constexpr std::uint32_t looks_between_names = 256;
  bool await_soon() noexcept;
  bool comes_from_elsewhere() const noexcept;
  Result<Connection*> nothing_new();
  Result<Connection*> tell_next_end();
  std::uint64_t newest_of(Connection& from) noexcept;
  void count_gap(Connection& from) noexcept;
  void ring_for_room(Connection& from) noexcept;
  void look_while_busy() noexcept;
  std::uint64_t spins() noexcept;
  static Result<void> time_is_over(Deadline deadline);
  std::uint32_t announce();
  std::uint32_t listen();
  Result<void> sleep(std::uint32_t told, Deadline deadline);

  void look_who_is_there();
  void meet(const std::vector<EndpointName>& names, bool joined_before);
  Result<void> connect(const EndpointName& name, bool joined_before);
  Result<void> refuse(const EndpointName& name);
  bool has_ended(const PublisherFile& file);
  void look_who_has_ended();
  Result<Connection*> tell_an_end(Connection& from);
  void forget_the_ended();

  SubscriberOptions options_;
  MessageType type_;
  Holder holder_;
  TopicFolder folder_;
  OwnSubscriberFile own_;
  TopicCensus census_;
  BellPage* bell_;
  bool registered_;
  bool takes_turns_;  ///< publishers have theirs, message by message
  std::uint32_t fork_;
  std::size_t turn_ = 0;
  TimeOrder<Connection> order_;
  std::optional<WakeSocket> wake_ = {};
  std::vector<std::unique_ptr<Connection>> connections_ = {};
  std::vector<std::pair<EndpointName, RowView>> refused_ = {};
  std::optional<EndpointName> last_ended_ = {};
  std::optional<Error> untold_ = {};  ///< why a publisher was refused, say
  std::uint64_t lost_ = 0;
  std::uint64_t history_short_ = 0;
  std::size_t held_ = 0;
  std::uint32_t empty_looks_ = 0;
  std::int64_t looked_at_ = 0;         ///< when who lives was asked last
  std::int64_t met_at_ = 0;            ///< when a busy one looked last who has come
  bool tell_before_messages_ = false;  ///< an end may be there, and no look be empty for long
  bool fresh_ = true;                  ///< a message came since it slept last
  bool look_again_ = false;            ///< somebody came, or has ended and left messages
  bool closed_ = false;
};

extern template class SubscriberPort<5>;
extern template class SubscriberPort<13>;

}  // namespace tenon
