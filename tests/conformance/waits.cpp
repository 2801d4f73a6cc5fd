#include "waits.hpp"

#include "handles.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/procfs.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <memory>
#include <sched.h>

namespace conformance {

namespace {

using namespace tenon;

template <class T>
Result<void> nothing_of(Result<T> result) {
  return result ? Result<void>() : fail(std::move(result.error()));
}

// A child that runs until nobody refers to it any more.
class PausedChild {
 public:
  PausedChild() : child_(spawn([] { return ::pause(); }).or_throw()) {}
  PausedChild(const PausedChild&) = delete;
  PausedChild& operator=(const PausedChild&) = delete;
  ~PausedChild() {
    (void)child_.signal(SIGKILL);
    (void)child_.wait(never);
  }
  Child& child() { return child_; }

 private:
  Child child_;
};

Pipe full_pipe() {
  Pipe pipe = Pipe::pair().or_throw();
  static constexpr std::array<std::byte, 4096> bytes{};
  while (pipe.writer.try_write(bytes)) {
  }
  return pipe;
}

// A wait on what `make` makes.
template <class Make, class Method>
std::function<Waiting()> on(Make make, Method method) {
  return [=] {
    return [subject = std::make_shared<decltype(make())>(make()), method](Deadline deadline) {
      return nothing_of(method(*subject, deadline));
    };
  };
}

template <class T>
auto fresh() {
  return [] { return std::make_shared<T>(); };
}

Pipe empty_pipe() { return Pipe::pair().or_throw(); }

std::array<std::byte, 64> bytes{};

Waiting sleeping() {
  return [](Deadline deadline) { return sleep_until(deadline); };
}

Result<void> wait_for_word(const std::atomic<std::uint32_t>& word, Deadline deadline) {
  return futex_wait_until(word, [] { return false; }, deadline);
}

}  // namespace

std::vector<Wait> all_waits() {
  using Word = std::shared_ptr<std::atomic<std::uint32_t>>;
  using Paused = std::shared_ptr<PausedChild>;
  return {
      {"sleep_until", sleeping},
      {"wait_ready", on(empty_pipe, [](Pipe& p, Deadline d) { return wait_ready(p.reader.fd(), Ready::reading, d); })},
      {"futex_wait_until",
       on(fresh<std::atomic<std::uint32_t>>(), [](Word& w, Deadline d) { return wait_for_word(*w, d); })},
      {"Child_wait", on(fresh<PausedChild>(), [](Paused& p, Deadline d) { return p->child().wait(d); })},
      {"ReadEnd_read", on(empty_pipe, [](Pipe& p, Deadline d) { return p.reader.read(bytes, d); })},
      {"WriteEnd_write", on(full_pipe, [](Pipe& p, Deadline d) { return p.writer.write(bytes, d); })},
      {"WriteEnd_wait_closed", on(empty_pipe, [](Pipe& p, Deadline d) { return p.writer.wait_closed(d); })},
      {"WriteEnd_vmsplice_from", on(full_pipe, [](Pipe& p, Deadline d) { return p.writer.vmsplice_from(bytes, d); })},
      {"Fifo_open_for_reading", on(unnamed_fifo, [](Fifo& f, Deadline d) { return f.open_for_reading(d); })},
      {"Fifo_open_for_writing", on(unnamed_fifo, [](Fifo& f, Deadline d) { return f.open_for_writing(d); }),
       Errc::no_peer},
  };
}

void until_asleep(pid_t process, pid_t thread) {
  const std::string path = "/proc/" + std::to_string(process) + "/task/" + std::to_string(thread) + "/stat";
  while (true) {
    const auto seen = procfs::text(path).and_then([](const std::string& line) { return procfs::parse_stat(line); });
    if (!seen || seen->state == 'S' || seen->state == 'Z') {
      return;
    }
    sched_yield();
  }
}

}  // namespace conformance
