#include <queue/row.hpp>

#include <harness/payload.hpp>
#include <harness/table.hpp>
#include <limits/ring_subjects.hpp>
#include <limits/run.hpp>

#include <fmt/format.h>

namespace queues {

using limits::Kind;
using limits::Where;
using tenon::MutableBytes;

namespace {

struct Sender {
  End end;
  std::vector<std::uint64_t> message;
  std::uint64_t at = 0;
  void step() {
    harness::write_payload(std::as_writable_bytes(std::span(message)), at++);
    end.send(std::as_bytes(std::span(message)));
  }
};
struct Receiver {
  End end;
  std::vector<std::uint64_t> message;
  void step() {
    end.receive(std::as_writable_bytes(std::span(message)));
    harness::check_payload(std::as_bytes(std::span(message)), message[0]);
  }
};

OpenEnd end_of(Beside beside, const Traffic& traffic) {
  return beside == Beside::kernel ? kernel_end(traffic) : boost_end(traffic);
}

struct MakeSender {
  OpenEnd open;
  std::size_t bytes;
  Sender operator()(MutableBytes shared) const { return {open(shared), std::vector<std::uint64_t>(bytes / 8)}; }
};
struct MakeReceiver {
  OpenEnd open;
  std::size_t bytes;
  Receiver operator()(MutableBytes shared) const { return {open(shared), std::vector<std::uint64_t>(bytes / 8)}; }
};

auto sides_of(const OpenEnd& open, std::size_t bytes) {
  return limits::RingSides{topics::start_bytes, queue_length, std::function<void(MutableBytes)>(new_start),
                           MakeSender{open, bytes}, MakeReceiver{open, bytes}};
}

harness::Subject many(const std::string& name, const OpenEnd& open, std::size_t bytes, std::size_t each) {
  harness::Subject subject{.name = name,
                           .shared_bytes = topics::start_bytes,
                           .sides = {},
                           .timed_side = 2 * each - 1,
                           .lap = queue_length,
                           .prepare = new_start};
  for (std::size_t i = 0; i < each; ++i) {
    subject.sides.push_back(limits::stepping_side(fmt::format("sender {}", i + 1), MakeSender{open, bytes}));
  }
  for (std::size_t i = 0; i < each; ++i) {
    subject.sides.push_back(limits::stepping_side(fmt::format("receiver {}", i + 1), MakeReceiver{open, bytes}));
  }
  return subject;
}

const char* name_of(Beside beside) { return beside == Beside::kernel ? "POSIX queue" : "Boost's queue"; }

const char* name_of(Wait wait) {
  return wait == Wait::polling ? "spin" : wait == Wait::sleeping ? "sleep" : "adaptive";
}

struct Pair {
  harness::Subject peer;
  harness::Subject own;
};

topics::Row row(const std::string& what, const Traffic& traffic, Beside beside, Pair pair, Kind kind, double ratio) {
  return {.group = std::string("beside ") + name_of(beside),
          .name = harness::size_text(traffic.bytes) + " " + what,
          .options = fmt::format("{}, {}", name_of(traffic.wait), name_of(beside)),
          .limits = {{.family = "queue",
                      .subject = std::move(pair.peer),
                      .where = Where::across_cores,
                      .kind = kind,
                      .payload_bytes = traffic.bytes}},
          .subject = std::move(pair.own),
          .placement = limits::placement_of(Where::across_cores),
          .kind = kind,
          .aim = {.ratio = traffic.bytes == 64 ? ratio : 0}};
}

std::vector<Beside> peers() {
#ifdef TENON_BESIDE_BOOST
  return {Beside::kernel, Beside::boost};
#else
  return {Beside::kernel};
#endif
}

}  // namespace

topics::Row there_and_back(const Traffic& traffic, Beside beside) {
  const auto subject = [&](const char* name, const OpenEnd& open) {
    return limits::there_and_back(name, sides_of(open, traffic.bytes));
  };
  return row("there and back", traffic, beside,
             {.peer = subject(name_of(beside), end_of(beside, traffic)), .own = subject("queue", tenon_end(traffic))},
             Kind::round_trip, beside == Beside::kernel ? 1 / 5.0 : 1 / 3.0);
}

topics::Row there_and_back_asleep(const Traffic& traffic, Beside beside, Where where) {
  const auto subject = [&](const char* name, const OpenEnd& open) {
    return limits::there_and_back_asleep(name, sides_of(open, traffic.bytes), where);
  };
  auto made =
      row(where == Where::one_core ? "there and back, one core" : "there and back", traffic, beside,
          {.peer = subject(name_of(beside), end_of(beside, traffic)), .own = subject("queue", tenon_end(traffic))},
          Kind::round_trip, beside == Beside::kernel ? 1 / 0.9 : 0);
  made.placement = limits::placement_of(where);
  made.limits.front().where = where;
  return made;
}

topics::Row many_to_many(const Traffic& traffic, Beside beside, std::size_t each) {
  const auto subject = [&](const char* name, const OpenEnd& open) { return many(name, open, traffic.bytes, each); };
  auto made =
      row(fmt::format("from {} to {} processes", each, each), traffic, beside,
          {.peer = subject(name_of(beside), end_of(beside, traffic)), .own = subject("queue", tenon_end(traffic))},
          Kind::one_way, each == 1 ? 0 : 1 / 2.0);
  made.placement = harness::in_turn(2 * each);
  return made;
}

std::vector<topics::Row> rows_of(const std::vector<std::size_t>& sizes) {
  std::vector<topics::Row> rows;
  for (const Beside beside : peers()) {
    for (const std::size_t bytes : sizes) {
      rows.push_back(there_and_back({.bytes = bytes, .wait = Wait::polling}, beside));
      rows.push_back(there_and_back_asleep({.bytes = bytes, .wait = Wait::sleeping}, beside, Where::across_cores));
      rows.push_back(there_and_back_asleep({.bytes = bytes, .wait = Wait::sleeping}, beside, Where::one_core));
      rows.push_back(many_to_many({.bytes = bytes, .wait = Wait::usual}, beside, 1));
      rows.push_back(many_to_many({.bytes = bytes, .wait = Wait::usual}, beside, 4));
    }
  }
  return rows;
}

}  // namespace queues
