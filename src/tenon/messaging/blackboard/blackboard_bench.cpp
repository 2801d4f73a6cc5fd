// A value read from a blackboard beside one read from a bare sequence lock, alone in pairs of blocks, and with a writer
// at full speed on another core, each read timed.
#include <tenon/messaging/blackboard/blackboard.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>
#include <tenon/ring/sequence_lock/sequence_lock.hpp>

#include <harness/byte_stream.hpp>
#include <harness/payload.hpp>
#include <harness/percentiles.hpp>
#include <harness/processors.hpp>
#include <harness/table.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace tenon;

namespace {

template <std::size_t Bytes>
struct Value {
  static constexpr std::string_view type_name = "Value";
  std::array<std::uint64_t, Bytes / 8> words;
};

template <class V>
void write_to(V& value, std::uint64_t number) {
  harness::write_payload(std::as_writable_bytes(std::span(value.words)), number);
}
template <class V>
void check(const V& value) {
  harness::check_payload(std::as_bytes(std::span(value.words)), value.words[0]);
}

/// A domain that goes with it.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch() {
    static_cast<void>(std::move(life_).leave());
    static_cast<void>(sweep(domain_));
    ::rmdir(domain_.path().c_str());
  }
  const Holder& holder() const { return holder_; }

 private:
  Domain domain_ = Domain::open("/dev/shm/tenon-bench-" + std::to_string(::getpid())).or_throw();
  Life life_ = Life::join(domain_).or_throw();
  Holder holder_ = Holder::of(domain_, life_).or_throw();
};

template <class V>
using Board = Blackboard<std::uint64_t, V>;

/// One value, on a board whose name is taken away at once.
template <class V>
struct OnBoard {
  explicit OnBoard(const Scratch& scratch)
      : board(Board<V>::create(scratch.holder(), "bench", {.keys = 1}).or_throw()),
        entry(board.template entry<V>(0, never).or_throw()) {
    Board<V>::remove(scratch.holder().domain(), "bench").or_throw();
  }
  void write(const V& value) { entry.write(value, never).or_throw(); }
  void read(V& value) { entry.read_into(value).or_throw(); }

  Board<V> board;
  BoardEntry<V> entry;
};
template <class V>
struct InLock {
  explicit InLock(const Scratch& /*scratch*/) {}
  void write(const V& value) { lock.write(value); }
  void read(V& value) { value = lock.read(); }

  Mapping memory = Mapping::shared_with_children(sizeof(SequenceLock<V>)).or_throw();
  SequenceLock<V>& lock = *::new (memory.data()) SequenceLock<V>;
};

template <class V, template <class> class Where>
harness::Subject reads(const std::string& name, const Scratch& scratch) {
  const auto where = std::make_shared<Where<V>>(scratch);
  V value{};
  write_to(value, 1);
  where->write(value);
  return harness::done_by_one_process(name, [where] {
    V seen;
    where->read(seen);
    if constexpr (sizeof(V) <= 64) {
      harness::check_words<sizeof(V) / 8>(seen.words.data(), 1);
    }
  });
}
/// Each of so many reads timed, while a child writes as fast as it can; the writer's values a second besides.
struct Beside {
  harness::Percentiles reads;
  double writes = 0;
};
/// What the reader writes, in memory of both.
struct Told {
  explicit Told(std::size_t count) : memory(Mapping::shared_with_children(64 + count * sizeof(double)).or_throw()) {}
  std::atomic<int>& phase() const { return *reinterpret_cast<std::atomic<int>*>(memory.data()); }
  std::span<double> times() const {
    return {reinterpret_cast<double*>(memory.data() + 64), (memory.size() - 64) / sizeof(double)};
  }
  Mapping memory;
};
enum Phase : int { not_begun, reading, read };

template <class V, class Where>
void read_all(const Told& told, Where& where) {
  const auto value = std::make_unique<V>();
  const harness::Clock clock = harness::Clock::calibrate();
  told.phase() = reading;
  for (double& time : told.times()) {
    const std::uint64_t before = clock.ticks();
    where.read(*value);
    time = clock.nanoseconds(clock.ticks() - before);
    check(*value);
  }
  told.phase() = read;
}

// A member of a domain writes for itself alone: the child reads.
template <class V, template <class> class Where>
Beside beside_a_writer(const Scratch& scratch, const harness::Placement& cores, std::size_t count) {
  Where<V> where(scratch);
  const auto value = std::make_unique<V>();
  std::uint64_t number = 0;
  const auto write_next = [&] {
    write_to(*value, ++number);
    where.write(*value);
  };
  write_next();
  harness::pin_to(cores.processors[0]).or_throw();
  const Told told(count);
  Child reader = spawn([&] {
                   harness::pin_to(cores.processors[1]).or_throw();
                   read_all<V>(told, where);
                   return 0;
                 }).or_throw();
  while (told.phase() == not_begun) {
  }
  const std::uint64_t first = number;
  const std::int64_t before = monotonic_now();
  while (told.phase() == reading) {
    write_next();
  }
  const double seconds = static_cast<double>(monotonic_now() - before) * 1e-9;
  if (reader.wait(never).or_throw().code() != 0) {
    throw Failure(Error(Errc::corrupt).because("a value is torn"));
  }
  const auto times = told.times();
  return {.reads = harness::percentiles_of({times.begin(), times.end()}),
          .writes = static_cast<double>(number - first) / seconds};
}

template <class V>
void add_rows(harness::Table& table, const Scratch& scratch, const harness::Placement& cores, std::size_t count) {
  const auto add = [&](const std::string& what, const Beside& seen) {
    using harness::duration_text;
    table.add({what, duration_text(seen.reads.p50), duration_text(seen.reads.p99), duration_text(seen.reads.p999),
               duration_text(seen.reads.max), harness::rate_text(seen.writes)});
  };
  const std::string size = harness::size_text(sizeof(V));
  for (int round = 0; round < 3; ++round) {
    add(size + ", blackboard", beside_a_writer<V, OnBoard>(scratch, cores, count));
    add(size + ", sequence lock", beside_a_writer<V, InLock>(scratch, cores, count));
  }
}

int print_beside_writers(const Scratch& scratch) {
  const auto cores = harness::across_cores(2);
  if (!cores) {
    std::printf("beside a writer: %s\n", cores.error().message().c_str());
    return 0;
  }
  harness::Table table({{.title = "a read, beside a writer at full speed", .side = harness::Table::Side::left},
                        {.title = "p50"},
                        {.title = "p99"},
                        {.title = "p99.9"},
                        {.title = "max"},
                        {.title = "writes"}});
  add_rows<Value<64>>(table, scratch, *cores, 1'000'000);
  add_rows<Value<65536>>(table, scratch, *cores, 20'000);
  std::printf("%s\n", table.text().c_str());
  return 0;
}

}  // namespace

int main() try {
  const Scratch scratch;
  const int code =
      harness::print_paired("blackboard", {{.name = "64 B, read",
                                            .bare = reads<Value<64>, InLock>("sequence lock", scratch),
                                            .wrapped = reads<Value<64>, OnBoard>("blackboard", scratch)},
                                           {.name = "64 KiB, read",
                                            .bare = reads<Value<65536>, InLock>("sequence lock", scratch),
                                            .wrapped = reads<Value<65536>, OnBoard>("blackboard", scratch)}});
  return code != 0 ? code : print_beside_writers(scratch);
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
