#include <tenon/os/process.hpp>

#include <tenon/os/poll.hpp>
#include <tenon/os/process_limit.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenon {

namespace {

// Not every stream: each is locked for that, and one that another thread is reading stays locked until input comes.
void flush_output() {
  std::fflush(stdout);
  std::fflush(stderr);
}

[[noreturn]] void run_child(const std::function<int()>& body, WithParent with_parent, pid_t parent) {
  if (with_parent == WithParent::dies) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have died before the request was in force. The first process of a PID namespace sees 0 for a
    // parent outside and cannot tell.
    if (const pid_t now = ::getppid(); now != parent && now != 0) {
      ::_exit(1);
    }
  }
  int code = 1;
  try {
    code = body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  } catch (...) {  // else the child would go on in whatever code of its parent catches it
    std::fputs("an exception without a text\n", stderr);
  }
  flush_output();
  ::_exit(code);
}

struct SpawnActions {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};

  SpawnActions() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }

  void set(ProcessGroup group) {
    ::posix_spawnattr_setpgroup(&attributes, 0);
    const int own = group == ProcessGroup::own ? POSIX_SPAWN_SETPGROUP : 0;
    ::posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | own));
  }
  void default_signals() {
    sigset_t all, none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
  }
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

// A variable's name with its '='.
std::string_view name_of_variable(std::string_view variable) { return variable.substr(0, variable.find('=') + 1); }

// What is given replaces what this process has: of two with one name getenv takes the first, and shells the last.
std::vector<std::string> environment_with(const std::vector<std::string>& given) {
  std::vector<std::string> all = given;
  // environ itself is null after clearenv().
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const auto same_name = [&](std::string_view one) { return name_of_variable(one) == name_of_variable(*variable); };
    if (std::ranges::none_of(given, same_name)) {
      all.emplace_back(*variable);
    }
  }
  return all;
}

// exec takes C strings, so what stands behind a NUL would be dropped without a word.
Result<void> check_texts(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (text.find('\0') != std::string::npos) {
      return fail(Error(Errc::invalid_argument, "posix_spawn").on(text).because("it contains a NUL byte"));
    }
  }
  return {};
}

Result<void> check_target(int number) {
  const long most = ::sysconf(_SC_OPEN_MAX);
  if (number < 0 || number >= most) {
    return fail(Error(Errc::invalid_argument, "posix_spawn")
                    .on("descriptor " + std::to_string(number))
                    .because("descriptors are numbered from 0 to " + std::to_string(most - 1) + " here"));
  }
  return {};
}

// A second descriptor under a number that nothing is to be put at.
Result<Fd> spare_copy(FdView from, const ProgramOptions& options) {
  const auto is_target = [&](int number) {
    return std::ranges::any_of(options.descriptors, [&](const auto& one) { return one.second == number; });
  };
  auto copy = fd_from(::fcntl(from.raw(), F_DUPFD_CLOEXEC, 3), "fcntl");
  while (copy && is_target(copy->raw())) {
    copy = fd_from(::fcntl(from.raw(), F_DUPFD_CLOEXEC, copy->raw() + 1), "fcntl");
  }
  return copy;
}

// Descriptors move in two steps, out of the way first, so that a swap (3 to 4, 4 to 3) does not overwrite one.
Result<std::vector<Fd>> place_descriptors(posix_spawn_file_actions_t& files, const ProgramOptions& options) {
  for (const auto& [from, to] : options.descriptors) {
    if (auto checked = check_target(to); !checked) {
      return fail(std::move(checked.error()));
    }
  }
  std::vector<Fd> moved;
  for (const auto& [from, to] : options.descriptors) {
    auto copy = spare_copy(from, options);
    if (!copy) {
      return fail(std::move(copy.error()));
    }
    ::posix_spawn_file_actions_adddup2(&files, copy->raw(), to);
    moved.push_back(std::move(*copy));
  }
  return moved;
}

Error lost_status(pid_t pid) {
  return Error(Errc::not_found, "waitid", ECHILD)
      .on("process " + std::to_string(pid))
      .because("it has ended, but its status is lost: SIGCHLD is ignored, or somebody else has reaped it");
}

// Without a pidfd nobody could wait for it with a deadline, so it does not go on.
Result<Child> adopted_or_ended(pid_t pid) {
  auto child = Child::adopt(pid);
  // With not_found it has been reaped already (SIGCHLD is ignored), and the id may be somebody else's by now.
  if (!child && !child.failed_with(Errc::not_found)) {
    ::kill(pid, SIGKILL);
    uninterrupted([&] { return ::waitpid(pid, nullptr, 0); });
  }
  return child;
}

}  // namespace

std::string ExitStatus::message() const {
  return signal_ == 0 ? "exited with " + std::to_string(code_)
                      : "killed by signal " + std::to_string(signal_) + " (" + ::strsignal(signal_) + ")";
}

Result<Child> Child::adopt(pid_t pid) {
  auto pidfd = fd_from(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)), "pidfd_open");
  if (!pidfd) {
    return fail(std::move(pidfd.error()).on("process " + std::to_string(pid)));
  }
  return Child(pid, std::move(*pidfd));
}

Result<ExitStatus> Child::wait(Deadline deadline) {
  if (reaped_) {
    return status_;
  }
  if (auto ready = wait_ready(fd(), Ready::reading, deadline); !ready) {
    return fail(std::move(ready.error()));
  }
  siginfo_t info{};
  const auto id = static_cast<id_t>(pidfd_.raw());
  if (uninterrupted([&] { return ::waitid(P_PIDFD, id, &info, WEXITED); }) == -1) {
    return fail(errno == ECHILD ? lost_status(pid_) : os_failure("waitid", errno));
  }
  reaped_ = true;
  status_ = info.si_code == CLD_EXITED ? ExitStatus::exited(info.si_status) : ExitStatus::killed(info.si_status);
  return status_;
}

Result<void> Child::signal(int number) const {
  if (reaped_) {
    return fail(Errc::not_found, "pidfd_send_signal");
  }
  if (::syscall(SYS_pidfd_send_signal, pidfd_.raw(), number, nullptr, 0) == -1) {
    return fail(os_failure("pidfd_send_signal", errno));
  }
  return {};
}

Result<Child> spawn(const std::function<int()>& body, WithParent with_parent) {
  flush_output();  // else the child would print again what stands in the parent's buffers
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == -1) {
    return fail(process_failure("fork", errno));
  }
  if (pid == 0) {
    run_child(body, with_parent, parent);
  }
  return adopted_or_ended(pid);
}

Result<Child> spawn_program(const std::string& program, const std::vector<std::string>& arguments,
                            const ProgramOptions& options) {
  SpawnActions actions;
  actions.default_signals();
  actions.set(options.group);
  auto moved = place_descriptors(actions.files, options);
  if (!moved) {
    return fail(std::move(moved.error()));
  }
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = environment_with(options.environment);
  for (const auto& texts : {words, environment}) {
    if (auto checked = check_texts(texts); !checked) {
      return fail(std::move(checked.error()));
    }
  }
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, program.c_str(), &actions.files, &actions.attributes,
                                   pointers_to(words).data(), pointers_to(environment).data());
  if (error != 0) {
    return fail(process_failure("posix_spawn", error).on(program));
  }
  return adopted_or_ended(pid);
}

}  // namespace tenon
