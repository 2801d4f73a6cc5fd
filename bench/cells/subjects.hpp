#pragma once
/// What processes do in each pattern, the same for all mechanisms.
///
/// A Source has `finish()`, which takes back what its `prepare()` has opened, and tells where the ends come from:
///   `bytes`                      of shared memory, which `prepare(shared)` makes ready before the processes are
///   forked; `sender(shared, line)`, `receiver(shared, line)`   called in the process that uses them, with
///   `send(number)`,
///                                `send_urgent(number)` and `receive(number)` as Line has them;
///   `first(shared, number)`      makes a line, sends a message through it, and returns when that was read;
///   `to_all()`                   whether one line goes to all receivers, else each has one;
///   `shared_by_senders()`        whether all senders use one line, else each has one and they are received in turn.
///
///   S1  store-release of how far a side has come → load-acquire by who waits for that.
#include <tenon/base/cache_line.hpp>
#include <tenon/os/clock.hpp>
#include <cells/line.hpp>
#include <limits/sleepy_end.hpp>
#include <limits/stepping_side.hpp>

#include <atomic>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace cells {

template <class Source>
class Subjects {
  using Subject = harness::Subject;
  using Round = harness::Round;
  using MutableBytes = tenon::MutableBytes;
  using Sender = decltype(std::declval<const Source&>().sender(MutableBytes(), 0));
  using Receiver = decltype(std::declval<const Source&>().receiver(MutableBytes(), 0));
  static constexpr std::size_t line_bytes = tenon::cache_line;

 public:
  Subjects(std::string name, Source source, const Cell& cell)
      : name_(std::move(name)), source_(std::move(source)), cell_(cell) {}

  Subject subject() const {
    switch (cell_.pattern) {
      case Pattern::round_trip:
        return cell_.sleeps() ? asleep() : awake();
      case Pattern::one_way:
        return one_way();
      case Pattern::fan_out:
        return fan_out();
      case Pattern::fan_in:
        return fan_in();
      case Pattern::first_message:
        return first_message();
      case Pattern::queued:
      case Pattern::backlog:
        return backlog();
    }
    std::unreachable();
  }

 private:
  // Braces keep the order in which ends are made, which may wait for each other.
  struct Asker {
    Sender there;
    Receiver back;
    std::uint64_t at = 0;
    void tell() { there.send(at); }
    void await() { back.receive(at++); }
    void step() {
      tell();
      await();
    }
  };
  struct Answerer {
    Receiver there;
    Sender back;
    std::uint64_t at = 0;
    void await() { there.receive(at); }
    void tell() { back.send(at++); }
    void step() {
      await();
      tell();
    }
  };
  struct SendingEnd {
    Sender line;
    std::uint64_t at = 0;
    void step() { line.send(at++); }
  };
  struct ReceivingEnd {
    Receiver line;
    std::uint64_t at = 0;
    void step() { line.receive(at++); }
  };
  struct ReceiverOfMany {
    std::vector<Receiver> lines;
    std::size_t senders;
    void step() {
      for (std::size_t i = 0; i < senders; ++i) {
        lines[i % lines.size()].receive(harness::any_number);
      }
    }
  };

  // A process whose end `make(source, shared)` makes.
  template <class Make>
  harness::Side side(const std::string& name, Make make) const {
    return limits::stepping_side(name, [source = source_, make](MutableBytes shared) { return make(source, shared); });
  }
  template <class MakeLoop>
  harness::Side looping_side(const std::string& name, MakeLoop make) const {
    return {.name = name,
            .start = [source = source_, make](MutableBytes shared) -> harness::Loop { return make(source, shared); }};
  }
  // Behind the memory of the source there is some of the pattern's own.
  Subject of_sides(std::vector<harness::Side> sides, std::size_t timed_side, std::size_t own_bytes = 0) const {
    return {.name = name_,
            .shared_bytes = Source::bytes + own_bytes,
            .sides = std::move(sides),
            .timed_side = timed_side,
            .prepare = [source = source_](MutableBytes shared) { source.prepare(shared.first(Source::bytes)); },
            .finish = [source = source_] { source.finish(); }};
  }
  static std::byte* own_line(MutableBytes shared, std::size_t number) {
    return shared.data() + Source::bytes + number * line_bytes;
  }
  static std::atomic_ref<std::uint64_t> standing(MutableBytes shared, std::size_t number) {
    return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(own_line(shared, number)));
  }
  static void wait_until(MutableBytes shared, std::size_t number, std::uint64_t stands) {
    harness::spin_until([&] { return standing(shared, number).load(std::memory_order_acquire) == stands; });  // S1
  }

  static Asker make_asker(const Source& source, MutableBytes shared) {
    return {source.sender(shared, 0), source.receiver(shared, 1)};
  }
  static Answerer make_answerer(const Source& source, MutableBytes shared) {
    return {source.receiver(shared, 0), source.sender(shared, 1)};
  }

  Subject awake() const { return of_sides({side("asker", make_asker), side("answerer", make_answerer)}, 0); }

  template <class End>
  static limits::SleepyEnd<End> sleepy(End end, MutableBytes shared, bool begins, bool lets_sleep) {
    return {.signal = std::move(end),
            .answerers_wait = reinterpret_cast<std::int64_t*>(own_line(shared, 0)),
            .begins = begins,
            .lets_sleep = lets_sleep};
  }
  Subject asleep() const {
    const bool lets_sleep = cell_.place != Place::one_core;
    return of_sides({side("asker",
                          [=](const Source& source, MutableBytes shared) {
                            return sleepy(make_asker(source, shared), shared, true, lets_sleep);
                          }),
                     side("answerer",
                          [=](const Source& source, MutableBytes shared) {
                            return sleepy(make_answerer(source, shared), shared, false, lets_sleep);
                          })},
                    0, line_bytes);
  }

  harness::Side sender(std::size_t number, std::size_t line) const {
    return side("sender " + std::to_string(number + 1),
                [=](const Source& source, MutableBytes shared) { return SendingEnd{source.sender(shared, line)}; });
  }
  Subject one_way() const {
    return of_sides(
        {sender(0, 0), side("receiver", [](const Source& source,
                                           MutableBytes shared) { return ReceivingEnd{source.receiver(shared, 0)}; })},
        1);
  }

  // The block ends when the last of the receivers has read its last byte.
  static harness::Loop sender_to_all(const Source& source, MutableBytes shared, std::size_t receivers) {
    std::vector<Sender> lines;
    for (std::size_t i = 0; i < (source.to_all() ? 1 : receivers); ++i) {
      lines.push_back(source.sender(shared, i));
    }
    return [=, at = std::uint64_t{0}](Round& round) mutable {
      for (std::uint64_t i = 0; i < round.operations(); ++i, ++at) {
        for (Sender& line : lines) {
          line.send(at);
        }
      }
      for (std::size_t i = 0; i < receivers; ++i) {
        await_asleep(shared, i, at);
      }
    };
  }
  // Looks each 20 µs: its processor time would be taken for the mechanism's.
  static void await_asleep(MutableBytes shared, std::size_t number, std::uint64_t stands) {
    while (standing(shared, number).load(std::memory_order_acquire) != stands) {  // S1
      const timespec while_asleep{.tv_sec = 0, .tv_nsec = 20'000};
      ::nanosleep(&while_asleep, nullptr);
    }
  }
  static harness::Loop receiver_of_all(const Source& source, MutableBytes shared, std::size_t number) {
    auto line = source.receiver(shared, source.to_all() ? 0 : number);
    return [=, at = std::uint64_t{0}](Round& round) mutable {
      for (std::uint64_t i = 0; i < round.operations(); ++i) {
        line.receive(at++);
      }
      standing(shared, number).store(at, std::memory_order_release);  // S1
    };
  }
  Subject fan_out() const {
    const std::size_t receivers = cell_.peers;
    std::vector<harness::Side> sides = {looping_side(
        "sender", [=](const Source& source, MutableBytes shared) { return sender_to_all(source, shared, receivers); })};
    for (std::size_t i = 0; i < receivers; ++i) {
      sides.push_back(looping_side("receiver " + std::to_string(i + 1), [=](const Source& source, MutableBytes shared) {
        return receiver_of_all(source, shared, i);
      }));
    }
    return of_sides(std::move(sides), 0, receivers * line_bytes);
  }

  Subject fan_in() const {
    const std::size_t senders = cell_.peers;
    const std::size_t lines = source_.shared_by_senders() ? 1 : senders;
    std::vector<harness::Side> sides = {side("receiver", [=](const Source& source, MutableBytes shared) {
      ReceiverOfMany end{.lines = {}, .senders = senders};
      for (std::size_t i = 0; i < lines; ++i) {
        end.lines.push_back(source.receiver(shared, i));
      }
      return end;
    })};
    for (std::size_t i = 0; i < senders; ++i) {
      sides.push_back(sender(i, i % lines));
    }
    return of_sides(std::move(sides), 0);
  }

  static double since(std::int64_t then) { return static_cast<double>(tenon::monotonic_now() - then); }

  Subject first_message() const {
    return of_sides({looping_side("maker",
                                  [](const Source& source, MutableBytes shared) -> harness::Loop {
                                    return [=](Round& round) {
                                      for (std::uint64_t i = 0; i < round.operations(); ++i) {
                                        round.leave_out(since(source.first(shared, i)));
                                        round.mark();
                                      }
                                    };
                                  })},
                    0);
  }

  // Number of the message that is waited for; the others count from 0.
  static constexpr std::uint64_t awaited = std::uint64_t{1} << 48;
  // The pattern's own lines: how often a backlog was made, when its last message was sent, how often it was taken.
  enum Own : std::size_t { made, sent_at, taken };

  struct BacklogSender {
    Sender line;
    MutableBytes shared;
    std::size_t others;
    bool urgent;
    std::uint64_t at = 0;
    std::uint64_t operations = 0;
    void step() {
      wait_until(shared, taken, operations);
      for (std::size_t i = 0; i < others; ++i) {
        line.send(at++);
      }
      *reinterpret_cast<std::int64_t*>(own_line(shared, sent_at)) = tenon::monotonic_now();
      if (urgent) {
        line.send_urgent(awaited);
      } else {
        line.send(awaited);
      }
      standing(shared, made).store(++operations, std::memory_order_release);  // S1
    }
  };
  struct BacklogReceiver {
    Receiver line;
    MutableBytes shared;
    std::size_t others;
    std::uint64_t operations = 0;
    void step(Round& round) {
      const std::int64_t began = tenon::monotonic_now();
      wait_until(shared, made, ++operations);
      round.leave_out(static_cast<double>(*reinterpret_cast<std::int64_t*>(own_line(shared, sent_at)) - began));
      std::size_t received = 1;
      while (line.receive(harness::any_number) != awaited) {
        ++received;
      }
      const std::int64_t got = tenon::monotonic_now();
      for (; received <= others; ++received) {
        line.receive(harness::any_number);
      }
      standing(shared, taken).store(operations, std::memory_order_release);  // S1
      round.leave_out(since(got));
    }
  };
  Subject backlog() const {
    const std::size_t others = cell_.peers;
    const bool urgent = cell_.pattern == Pattern::backlog;
    return of_sides({side("sender",
                          [=](const Source& source, MutableBytes shared) {
                            return BacklogSender{source.sender(shared, 0), shared, others, urgent};
                          }),
                     side("receiver",
                          [=](const Source& source, MutableBytes shared) {
                            return BacklogReceiver{source.receiver(shared, 0), shared, others};
                          })},
                    1, 3 * line_bytes);
  }

  std::string name_;
  Source source_;
  Cell cell_;
};

}  // namespace cells
