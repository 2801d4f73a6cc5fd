#include <queue/row.hpp>

#include <harness/payload.hpp>
#include <limits/ring_subjects.hpp>
#include <limits/run.hpp>

#include <fmt/format.h>

namespace queues {

using limits::Kind;
using limits::Where;
using tenon::MutableBytes;

namespace {

constexpr std::size_t bytes = 64;
using Message = std::array<std::uint64_t, bytes / 8>;

struct Sender {
  End end;
  std::uint64_t at = 0;
  void step() {
    Message message;
    harness::write_words<bytes / 8>(message.data(), at++);
    end.send(std::as_bytes(std::span(message)));
  }
};
struct Receiver {
  End end;
  void step() {
    Message message;
    end.receive(std::as_writable_bytes(std::span(message)));
    harness::check_words<bytes / 8>(message.data(), message[0]);
  }
};

OpenEnd end_of(Beside beside, Wait wait) {
  const Traffic traffic{.bytes = bytes, .wait = wait};
  return beside == Beside::kernel ? kernel_end(traffic) : boost_end(traffic);
}

auto sides_of(const OpenEnd& open) {
  return limits::RingSides{topics::start_bytes, queue_length, topics::new_domain,
                           [=](MutableBytes shared) { return Sender{open(shared)}; },
                           [=](MutableBytes shared) { return Receiver{open(shared)}; }};
}

harness::Subject many(const std::string& name, const OpenEnd& open, std::size_t each) {
  harness::Subject subject{.name = name,
                           .shared_bytes = topics::start_bytes,
                           .sides = {},
                           .timed_side = 2 * each - 1,
                           .lap = queue_length,
                           .prepare = topics::new_domain};
  for (std::size_t i = 0; i < each; ++i) {
    subject.sides.push_back(limits::stepping_side(fmt::format("sender {}", i + 1),
                                                  [=](MutableBytes shared) { return Sender{open(shared)}; }));
  }
  for (std::size_t i = 0; i < each; ++i) {
    subject.sides.push_back(limits::stepping_side(fmt::format("receiver {}", i + 1),
                                                  [=](MutableBytes shared) { return Receiver{open(shared)}; }));
  }
  return subject;
}

const char* name_of(Beside beside) { return beside == Beside::kernel ? "POSIX queue" : "Boost's queue"; }

topics::Row row(std::string name, std::string options, Beside beside, harness::Subject peer, harness::Subject subject,
                Kind kind, double ratio) {
  return {.group = std::string("beside ") + (beside == Beside::kernel ? "the kernel's POSIX queue" : "Boost's queue"),
          .name = std::move(name),
          .options = std::move(options) + ", " + name_of(beside),
          .limits = {{.family = "queue",
                      .subject = std::move(peer),
                      .where = Where::across_cores,
                      .kind = kind,
                      .payload_bytes = bytes}},
          .subject = std::move(subject),
          .placement = limits::placement_of(Where::across_cores),
          .kind = kind,
          .aim = {.ratio = ratio}};
}

}  // namespace

topics::Row there_and_back(Beside beside) {
  return row("64 B there and back", "spin", beside,
             limits::there_and_back(name_of(beside), sides_of(end_of(beside, Wait::polling))),
             limits::there_and_back("queue", sides_of(tenon_end({.bytes = bytes, .wait = Wait::polling}))),
             Kind::round_trip, beside == Beside::kernel ? 1 / 5.0 : 1 / 3.0);
}

topics::Row there_and_back_asleep(Beside beside, Where where, Wait wait) {
  auto made = row(where == Where::one_core ? "64 B there and back, asleep, one core" : "64 B there and back, asleep",
                  wait == Wait::sleeping ? "sleep" : "adaptive", beside,
                  limits::there_and_back_asleep(name_of(beside), sides_of(end_of(beside, wait)), where),
                  limits::there_and_back_asleep("queue", sides_of(tenon_end({.bytes = bytes, .wait = wait})), where),
                  Kind::round_trip, beside == Beside::kernel ? 1 / 0.9 : 0);
  made.placement = limits::placement_of(where);
  made.limits.front().where = where;
  return made;
}

topics::Row many_to_many(Beside beside, std::size_t each) {
  auto made = row(fmt::format("64 B from {} to {} processes", each, each), "adaptive", beside,
                  many(name_of(beside), end_of(beside, Wait::usual), each),
                  many("queue", tenon_end({.bytes = bytes, .wait = Wait::usual}), each), Kind::one_way, 1 / 2.0);
  made.placement = harness::in_turn(2 * each);
  return made;
}

std::vector<topics::Row> all_rows() {
  std::vector<topics::Row> rows;
  for (const Beside beside : {Beside::kernel, Beside::boost}) {
    rows.push_back(there_and_back(beside));
    rows.push_back(there_and_back_asleep(beside, Where::across_cores, Wait::sleeping));
    rows.push_back(there_and_back_asleep(beside, Where::one_core, Wait::sleeping));
    rows.push_back(many_to_many(beside, 1));
    rows.push_back(many_to_many(beside, 4));
  }
  return rows;
}

}  // namespace queues
