// Members that look alike: the same process id again, the same process id elsewhere.
#include "actor.hpp"
#include "observer.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace life_table {

namespace {

using tenon::Life;
using tenon::Standing;
using tenon::Token;

constexpr const char* no_right = "needs CAP_SYS_ADMIN, as root has it";

// A child with exactly this process id. clone3(2), set_tid
pid_t clone_with_pid(pid_t pid) {
  struct clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = reinterpret_cast<std::uint64_t>(&pid);
  arguments.set_tid_size = 1;
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

// Joins, tells its token, and dies without leaving. Its process id is free afterwards.
std::pair<pid_t, Token> one_that_died(const ScratchDomain& domain) {
  Actor member([&](const Actor::Stage& stage) {
    const Life life = Life::join(*domain).or_throw();
    stage.say(life.token().value());
    stage.await_cue();
  });
  const Token token = Token::from(member.next());
  member.signal(SIGKILL);
  member.reap();
  return {member.pid(), token};
}

// The actor makes the impostor, which becomes another program and says what it sees: play_member_after_exec().
Actor impostor(const ScratchDomain& domain, const Options& options, pid_t pid, Token old) {
  return Actor([=, &domain](const Actor::Stage& stage) {
    const std::string says = std::to_string(stage.says()), hears = std::to_string(stage.hears()), token = old.hex();
    const pid_t child = clone_with_pid(pid);
    if (child == 0) {
      stage.await_cue();  // both of them write to the same pipe
      ::execl(options.program.c_str(), "life_table", "--as-member", domain.path().c_str(), says.c_str(), hears.c_str(),
              token.c_str(), nullptr);
      ::_exit(127);
    }
    stage.say(child == -1 ? static_cast<std::uint64_t>(errno) : 0);
    tenon::uninterrupted([&] { return ::waitpid(child, nullptr, 0); });
  });
}

std::vector<Row> reused_pid(const Options& options) {
  Row row{.what = "PID reuse, made with clone3(set_tid)",
          .expected = "outside: died; to its namesake: died; namesake alive, its own after the sweep too"};
  const ScratchDomain domain("life");
  const auto [pid, old] = one_that_died(domain);
  const Actor second = impostor(domain, options, pid, old);
  if (const auto error = second.next(); error != 0) {
    return {skipped(std::move(row), std::string("clone3: ") + std::strerror(static_cast<int>(error)))};
  }
  second.cue();
  row.seen = "outside: " + std::string(name_of(standing_of(*domain, old).or_throw()));
  row.seen += "; to its namesake: " + std::string(name_of(static_cast<Standing>(second.next())));
  second.cue();
  const Token own = Token::from(second.next());
  Observer observer(domain, own);
  row.seen += observer.peer().who().pid == pid ? "; namesake " : "; somebody else ";
  row.seen += observer.alive_for_a_while();
  second.cue();
  row.seen += second.next() == 1 ? ", its own after the sweep too" : ", but sweeps wrongly";
  row.seen += observer.alive_for_a_while() == "alive" ? "" : " no more";
  row.remark = "pid " + std::to_string(pid) + " twice";
  ::kill(pid, SIGKILL);
  (void)observer.peer().wait_for_death(tenon::after(std::chrono::seconds(10))).or_throw();
  tenon::sweep(*domain).or_throw();
  return {judged(std::move(row))};
}

void hide_proc() {
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == -1 ||
      ::mount("none", "/proc", "tmpfs", 0, nullptr) == -1) {
    ::_exit(3);
  }
}

// An actor whose child is process 1 of a namespace of its own, and plays the part.
Actor in_pid_namespace(bool with_proc, const Actor::Part& part) {
  return Actor([=](const Actor::Stage& stage) {
    if (::unshare(CLONE_NEWPID | (with_proc ? 0 : CLONE_NEWNS)) == -1) {
      stage.say(static_cast<std::uint64_t>(errno));
      return;
    }
    auto child = tenon::spawn([&] {
      if (!with_proc) {
        hide_proc();
      }
      stage.say(0);
      part(stage);
      return 0;
    });
    std::move(child).or_throw().wait(tenon::never).or_throw();
  });
}

// Tells who it is; then, of the other, how it stands, and later when and how it ended.
Actor::Part one_of_two(const ScratchDomain& domain) {
  return [&domain](const Actor::Stage& stage) {
    const Life life = Life::join(*domain).or_throw();
    stage.say(static_cast<std::uint64_t>(::getpid()));
    stage.say(life.token().value());
    stage.await_cue();
    const auto members = tenon::Roster::open(*domain).or_throw().members();
    const Token other = members.at(0).token == life.token() ? members.at(1).token : members.at(0).token;
    const auto peer = tenon::Peer::open(*domain, other).or_throw();
    tenon::sweep(*domain).or_throw();
    stage.say(static_cast<std::uint64_t>(peer.standing().or_throw()));
    auto end = peer.wait_for_death(tenon::after(std::chrono::seconds(10)));
    stage.say(static_cast<std::uint64_t>(tenon::monotonic_now()));
    stage.say(static_cast<std::uint64_t>(std::move(end).or_throw()));
  };
}

std::vector<Row> two_namespaces(const char* what, bool with_proc) {
  Row row{
      .what = what, .expected = "pids 1 and 1, to each other alive and alive; one killed: died", .notice_limit = 100};
  const ScratchDomain domain("life");
  Actor first = in_pid_namespace(with_proc, one_of_two(domain));
  if (first.next() != 0) {
    return {skipped(std::move(row), no_right)};
  }
  Actor second = in_pid_namespace(with_proc, one_of_two(domain));
  if (second.next() != 0) {
    return {skipped(std::move(row), no_right)};
  }
  row.seen = "pids " + std::to_string(first.next()) + " and " + std::to_string(second.next());
  const Token of_first = Token::from(first.next()), of_second = Token::from(second.next());
  first.cue();
  second.cue();
  row.seen += ", to each other " + std::string(name_of(static_cast<Standing>(first.next())));
  row.seen += " and " + std::string(name_of(static_cast<Standing>(second.next())));
  const auto start = tenon::monotonic_now();
  // Its parent, outside, dies with it; the end of a namespace's first process ends the namespace.
  const auto inner = tenon::Peer::open(*domain, of_first).or_throw();
  first.signal(SIGKILL);
  row.notice.push_back(static_cast<double>(static_cast<std::int64_t>(second.next()) - start) / 1e6);
  row.seen += "; one killed: " + std::string(name_of(static_cast<Standing>(second.next())));
  const bool agree = inner.standing().or_throw() == Standing::died;
  row.seen += agree ? "" : ", seen otherwise from outside";
  row.remark = of_first == of_second ? "equal tokens" : "";
  second.reap();
  tenon::sweep(*domain).or_throw();
  row.seen += domain.names().empty() ? "" : ", not swept";
  return {judged(std::move(row))};
}

}  // namespace

std::vector<Case> identity_cases() {
  return {
      {"pid reuse", reused_pid},  // F51
      {"namespaces",              // F52
       [](const Options&) { return two_namespaces("two PID namespaces share the directory, same pid", true); }},
      {"no proc", [](const Options&) { return two_namespaces("the same, and neither has a /proc", false); }},
  };
}

}  // namespace life_table
