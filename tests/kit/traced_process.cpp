#include <kit/traced_process.hpp>

#include <kit/steady.hpp>
#include <tenon/base/contract.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/procfs.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kit {

namespace {

#if defined(__x86_64__)
[[gnu::always_inline]] inline void trap() noexcept { asm volatile("int3" ::: "memory"); }
constexpr std::array<unsigned char, 2> system_call_instruction = {0x0f, 0x05};
constexpr std::size_t pointer_offset = offsetof(struct user_regs_struct, rip);
#else
inline void trap() noexcept { tenon::broken_contract("tracing is written for x86-64"); }
constexpr std::array<unsigned char, 2> system_call_instruction = {};
constexpr std::size_t pointer_offset = 0;
#endif

// How often one looks whether a process that has not stopped sleeps.
constexpr Duration between_looks{10};

sigset_t child_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  return set;
}

// Stops are told by SIGCHLD; blocked, it can be waited for with a time limit. Other threads may not be about.
void block_child_signals() {
  static const sigset_t set = child_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

std::optional<int> wait_for_stop(pid_t pid, Duration limit) {
  static const sigset_t set = child_signals();
  const tenon::Deadline deadline = tenon::after(patient(limit));
  int status = 0;
  while (::waitpid(pid, &status, __WALL | WNOHANG) != pid) {
    const auto left = deadline.left();
    if (left.count() == 0) {
      return std::nullopt;
    }
    const timespec longest = tenon::timespec_of(left.count());
    ::sigtimedwait(&set, nullptr, &longest);
  }
  return status;
}

}  // namespace

void without_random_addresses(char** arguments) {
  const int now = ::personality(0xffffffff);
  if (now == -1 || ((now & ADDR_NO_RANDOMIZE) != 0 && std::getenv("LD_BIND_NOW") != nullptr)) {
    return;
  }
  ::setenv("LD_BIND_NOW", "1", 1);
  if (::personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE) != -1) {
    ::execv("/proc/self/exe", arguments);
  }
}

struct TracedProcess::Mark {
  volatile bool finished;
};

TracedProcess::TracedProcess(const std::function<void()>& before, const std::function<void()>& operation)
    : mark_(tenon::Mapping::shared_with_children(sizeof(Mark)).or_throw()),
      child_((block_child_signals(), tenon::spawn([&] {
                                       const sigset_t set = child_signals();
                                       ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
                                       ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
                                       wants_steady_memory = true;
                                       before();
                                       trap();
                                       operation();
                                       reinterpret_cast<Mark*>(mark_.data())->finished = true;
                                       trap();
                                       return 0;
                                     }).or_throw())) {
  const auto status = wait_for_stop(child_.pid(), default_limit);
  tenon::expects(status && WIFSTOPPED(*status) && WSTOPSIG(*status) == SIGTRAP,
                 "what a trial does before its operation neither fails nor waits");
  ::ptrace(PTRACE_SETOPTIONS, child_.pid(), nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
}

TracedProcess::~TracedProcess() { kill(); }

TracedProcess::State TracedProcess::settle(int status) {
  if (!WIFSTOPPED(status)) {
    return state_ = State::dead;
  }
  const int signal = WSTOPSIG(status) & 0x7f;  // 0x80 marks the stop at a system call
  pending_signal_ = signal == SIGTRAP ? 0 : signal;
  const bool finished = reinterpret_cast<const Mark*>(mark_.data())->finished;
  return state_ = finished ? State::finished : State::stopped;
}

TracedProcess::State TracedProcess::go(int request, Duration limit) {
  if (state_ != State::stopped) {
    return state_;
  }
  ::ptrace(static_cast<__ptrace_request>(request), child_.pid(), nullptr, pending_signal_);
  return wait_on(limit);
}

TracedProcess::State TracedProcess::wait_on(Duration limit) {
  const auto status = wait_for_stop(child_.pid(), limit);
  return status ? settle(*status) : state_ = State::asleep;
}

bool TracedProcess::sleeps() const {
  const auto seen = tenon::procfs::process(child_.pid());
  return seen && seen->state == 'S';
}

// The time alone does not tell: on a busy machine any instruction may take long. Nor does one look, which may fall on a
// sleep that is about to end.
TracedProcess::State TracedProcess::go_unless_asleep(int request, Duration longest_sleep) {
  if (state_ != State::stopped || go(request, between_looks) != State::asleep) {
    return state_;
  }
  const tenon::Deadline deadline = tenon::after(patient(default_limit));
  Duration slept{0};
  while (state_ == State::asleep && slept < longest_sleep && deadline.left().count() > 0) {
    slept = sleeps() ? slept + between_looks : Duration{0};
    wait_on(between_looks);
  }
  return state_;
}

TracedProcess::State TracedProcess::step(Duration longest_sleep) {
  return go_unless_asleep(PTRACE_SINGLESTEP, longest_sleep);
}

TracedProcess::State TracedProcess::step_over(std::size_t count, Duration longest_sleep) {
  while (count-- > 0 && step(longest_sleep) == State::stopped) {
  }
  return state_;
}

// Two stops: at the entry and at the return.
TracedProcess::State TracedProcess::run_past_system_call(Duration longest_sleep) {
  go_unless_asleep(PTRACE_SYSCALL, longest_sleep);
  return go_unless_asleep(PTRACE_SYSCALL, longest_sleep);
}

TracedProcess::State TracedProcess::run_to_end(Duration limit) {
  const tenon::Deadline deadline = tenon::after(patient(limit));
  while (go(PTRACE_CONT, std::chrono::duration_cast<Duration>(deadline.left()) / slowness()) == State::stopped) {
  }
  return state_;
}

TracedProcess::State TracedProcess::wait_for_end(Duration limit) {
  if (state_ == State::asleep) {
    wait_on(limit);
  }
  return run_to_end(limit);
}

std::uint64_t TracedProcess::instruction_pointer() const {
  return static_cast<std::uint64_t>(
      ::ptrace(PTRACE_PEEKUSER, child_.pid(), reinterpret_cast<void*>(pointer_offset), nullptr));
}

bool TracedProcess::at_system_call() const {
  std::array<unsigned char, system_call_instruction.size()> bytes{};
  iovec here{bytes.data(), bytes.size()};
  iovec there{reinterpret_cast<void*>(instruction_pointer()), bytes.size()};
  return ::process_vm_readv(child_.pid(), &here, 1, &there, 1, 0) != -1 && bytes == system_call_instruction;
}

bool TracedProcess::kill() {
  (void)child_.signal(SIGKILL);
  const auto ended = child_.wait(tenon::never);
  state_ = State::dead;
  return ended && ended->signal() == SIGKILL;
}

}  // namespace kit
