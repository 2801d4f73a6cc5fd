// Shared memory with a mechanism beside it that tells when a slot is full and when it is empty: the producer and
// consumer of every textbook. The payload is written and read in the slot, so nothing is copied.
#include <cells/line.hpp>

#include <tenon/base/cache_line.hpp>
#include <tenon/ipc/eventfd/eventfd.hpp>
#include <tenon/ipc/memfd/memfd.hpp>
#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/poll.hpp>

#include <algorithm>
#include <memory>
#include <unistd.h>

namespace cells {

namespace {

using tenon::MutableBytes;
using tenon::never;

constexpr std::size_t line = tenon::cache_line;

std::size_t slots_of(const Cell& cell) {
  constexpr std::size_t memory = std::size_t{4} << 20;
  return cell.room(std::clamp<std::size_t>(memory / cell.bytes, 2, 64));
}
std::size_t stride_of(const Cell& cell) { return (cell.bytes + line - 1) / line * line; }
/// Two lines for semaphores that live in the memory, then the slots.
std::size_t memory_of(const Cell& cell) { return 2 * line + slots_of(cell) * stride_of(cell); }

/// `Signals` has `full` and `empty`, each with take(Wait) and give().
template <class Signals>
class MemoryLine final : public Line {
 public:
  MemoryLine(tenon::Mapping memory, std::unique_ptr<Signals> signals, const Cell& cell)
      : memory_(std::move(memory)), signals_(std::move(signals)), cell_(cell), slots_(slots_of(cell)) {}
  void send(std::uint64_t number) override {
    signals_->empty.take(cell_.wait);
    harness::write_payload(slot(sent_++), number);
    signals_->full.give();
  }
  bool try_send(std::uint64_t number) override {
    if (number >= slots_) {  // nobody receives meanwhile
      return false;
    }
    send(number);
    return true;
  }
  std::uint64_t receive(std::uint64_t number) override {
    signals_->full.take(cell_.wait);
    const MutableBytes message = slot(received_++);
    number = harness::number_of(message, number);
    harness::check_payload(message, number);
    signals_->empty.give();
    return number;
  }
  std::optional<std::size_t> memory() const override { return memory_.size(); }

 private:
  MutableBytes slot(std::uint64_t number) const {
    return memory_.bytes().subspan(2 * line + number % slots_ * stride_of(cell_), cell_.bytes);
  }
  tenon::Mapping memory_;
  std::unique_ptr<Signals> signals_;
  Cell cell_;
  std::size_t slots_;
  std::uint64_t sent_ = 0;  // by this process, as far as it sends at all
  std::uint64_t received_ = 0;
};

// POSIX semaphores that lie in the memory. sem_overview(7)
struct PosixSignals {
  struct Signal {
    tenon::UnnamedSemaphore semaphore;
    void take(Wait wait) {
      const auto block = [&] { semaphore.wait(never).or_throw(); };
      wait_by(wait, [&] { return went(semaphore.try_wait()); }, block, block);
    }
    void give() { semaphore.post().or_throw(); }
  };
  PosixSignals(MutableBytes memory, std::size_t slots)
      : full{tenon::UnnamedSemaphore::create(memory.first(line), 0).or_throw()},
        empty{tenon::UnnamedSemaphore::create(memory.subspan(line, line), static_cast<unsigned>(slots)).or_throw()} {}
  Signal full;
  Signal empty;
};

// A set of two System V semaphores, which goes with its line, in the process that made it. semop(2)
struct SysvSignals {
  struct Signal {
    const tenon::SysvSemaphore* set;
    std::uint16_t which;
    void take(Wait wait) {
      const auto block = [&] { set->wait(which, tenon::Undo::no, never).or_throw(); };
      wait_by(wait, [&] { return went(set->try_wait(which, tenon::Undo::no)); }, block, block);
    }
    void give() { set->post(which, tenon::Undo::no).or_throw(); }
  };
  explicit SysvSignals(std::size_t slots)
      : set(tenon::SysvSemaphore::create(tenon::SysvKey::unshared(), {0, counted(slots)}).or_throw()) {}
  static std::uint16_t counted(std::size_t slots) {
    if (slots > tenon::SysvSemaphore::most) {
      throw tenon::Failure(tenon::Error(tenon::Errc::limit_reached).because("a semaphore counts to 32767"));
    }
    return static_cast<std::uint16_t>(slots);
  }
  ~SysvSignals() {
    if (::getpid() == maker) {
      (void)tenon::SysvSemaphore::remove(set.id());
    }
  }
  SysvSignals(const SysvSignals&) = delete;
  SysvSignals& operator=(const SysvSignals&) = delete;

  tenon::SysvSemaphore set;
  pid_t maker = ::getpid();
  Signal full{&set, 0};
  Signal empty{&set, 1};
};

// Two counters of which each call takes one. eventfd(2)
struct EventSignals {
  struct Signal {
    tenon::EventFd counter;
    void take(Wait wait) {
      wait_by(
          wait, [&] { return went(counter.try_wait()); }, [&] { counter.wait(never).or_throw(); },
          [&] { tenon::wait_ready(counter.fd(), tenon::Ready::reading, never).or_throw(); });
    }
    void give() { counter.post(1, never).or_throw(); }
  };
  explicit EventSignals(std::size_t slots)
      : full{tenon::EventFd::create(0, tenon::Taking::one).or_throw()},
        empty{tenon::EventFd::create(static_cast<unsigned>(slots), tenon::Taking::one).or_throw()} {}
  Signal full;
  Signal empty;
};

template <class Signals>
std::shared_ptr<Line> line_over(tenon::Mapping memory, std::unique_ptr<Signals> signals, const Cell& cell) {
  return std::make_shared<MemoryLine<Signals>>(std::move(memory), std::move(signals), cell);
}

std::shared_ptr<Line> open_posix(const Cell& cell) {
  static int made = 0;
  const std::string name = "/tenon-bench-memory-" + std::to_string(::getpid()) + "-" + std::to_string(++made);
  const auto memory = tenon::PosixMemory::create(name, memory_of(cell)).or_throw();
  tenon::PosixMemory::unlink(name).or_throw();
  auto mapping = memory.map(tenon::Access::read_write).or_throw();
  auto signals = std::make_unique<PosixSignals>(mapping.bytes(), slots_of(cell));
  return line_over(std::move(mapping), std::move(signals), cell);
}

// Marked for removal as soon as it is attached: it goes with its last map.
std::shared_ptr<Line> open_sysv(const Cell& cell) {
  const auto memory = tenon::SysvMemory::create(tenon::SysvKey::unshared(), memory_of(cell)).or_throw();
  auto mapping = memory.attach(tenon::Access::read_write);
  tenon::SysvMemory::remove(memory.id()).or_throw();
  return line_over(std::move(mapping).or_throw(), std::make_unique<SysvSignals>(slots_of(cell)), cell);
}

std::shared_ptr<Line> open_memfd(const Cell& cell) {
  const auto memory = tenon::Memfd::create("tenon-bench", memory_of(cell)).or_throw();
  return line_over(memory.map(tenon::Access::read_write, tenon::Seals{}).or_throw(),
                   std::make_unique<EventSignals>(slots_of(cell)), cell);
}

constexpr std::size_t any_size = std::size_t{1} << 30;

}  // namespace

LineKind posix_memory_line() {
  return {.name = "posix_memory",
          .family = "shared memory",
          .about = "slots in POSIX shared memory, and two POSIX semaphores. shm_overview(7)",
          .most_bytes = any_size,
          .open = open_posix};
}

LineKind sysv_memory_line() {
  return {.name = "sysv_memory",
          .family = "shared memory",
          .about = "slots in a System V segment, and a set of two semaphores. shmop(2)",
          .most_bytes = any_size,
          .open = open_sysv};
}

LineKind memfd_line() {
  return {.name = "memfd",
          .family = "shared memory",
          .about = "slots in a memfd, and two eventfds. memfd_create(2)",
          .most_bytes = any_size,
          .can_poll = true,
          .open = open_memfd};
}

}  // namespace cells
