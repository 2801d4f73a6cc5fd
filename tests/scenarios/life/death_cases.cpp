// The ways in which a life ends, or only seems to.
#include "actor.hpp"
#include "observer.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/life_sweep.hpp>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <new>
#include <sys/syscall.h>
#include <unistd.h>

namespace life_table {

namespace {

using tenon::Life;
using tenon::Token;

// Never destroyed, so that returning from the part is an exit without a leave.
Life& join_for_good(const ScratchDomain& domain) { return *new Life(Life::join(*domain).or_throw()); }

Actor::Part member_that(const ScratchDomain& domain, const std::function<void(Life&, const Actor::Stage&)>& ends) {
  return [&domain, ends](const Actor::Stage& stage) {
    Life& life = join_for_good(domain);
    stage.say(life.token().value());
    stage.await_cue();
    ends(life, stage);
  };
}

void wait_for_the_end() {
  while (true) {
    ::pause();
  }
}

// The one who ends is not swept up until the row is judged; then the directory must be empty.
Row finish(Row row, const ScratchDomain& domain) {
  tenon::sweep(*domain).or_throw();
  if (!domain.names().empty()) {
    row.remark = "left behind: " + domain.names().front();
    row.seen += ", not swept";
  }
  return judged(std::move(row));
}

std::vector<Row> sigkill(const Options&) {
  Row row{.what = "SIGKILL", .expected = "died", .notice_limit = 100};
  const ScratchDomain domain("life");
  Actor member(member_that(domain, [](Life&, const Actor::Stage&) {}));
  Observer observer(domain, Token::from(member.next()), Ears::only);
  const auto start = tenon::monotonic_now();
  member.signal(SIGKILL);
  row.seen = observer.end(start, row.notice);
  return {finish(std::move(row), domain)};
}

std::vector<Row> ends_by_itself(const char* what, const char* expected, bool leaves) {
  Row row{.what = what, .expected = expected, .notice_limit = 100};
  const ScratchDomain domain("life");
  Actor member(member_that(domain, [leaves](Life& life, const Actor::Stage&) {
    if (leaves) {
      std::move(life).leave().or_throw();
    }
  }));
  Observer observer(domain, Token::from(member.next()), Ears::only);
  const auto start = tenon::monotonic_now();
  member.cue();
  row.seen = observer.end(start, row.notice);
  member.reap();
  return {finish(std::move(row), domain)};
}

std::vector<Row> zombie(const Options&) {
  Row row{.what = "killed, and never reaped: a zombie", .expected = "died"};
  const ScratchDomain domain("life");
  Actor member(member_that(domain, [](Life&, const Actor::Stage&) {}));
  Observer observer(domain, Token::from(member.next()), Ears::only);
  member.signal(SIGKILL);
  member.await_state('Z');
  const auto start = tenon::monotonic_now();
  row.seen = observer.end(start, row.notice);
  row.remark = "kill(pid, 0) says " + std::string(::kill(member.pid(), 0) == 0 ? "it is there" : "it is gone");
  return {finish(std::move(row), domain)};
}

std::vector<Row> child_outlives(const char* what, pid_t (*make_child)(), Ears ears) {
  Row row{.what = what, .expected = "died", .notice_limit = 100};
  const ScratchDomain domain("life");
  Actor member([&](const Actor::Stage& stage) {
    const Life& life = join_for_good(domain);
    const pid_t child = make_child();
    if (child == 0) {
      wait_for_the_end();
    }
    stage.say(life.token().value());
    stage.say(static_cast<std::uint64_t>(child));
    wait_for_the_end();
  });
  Observer observer(domain, Token::from(member.next()), ears);
  const auto child = static_cast<pid_t>(member.next());
  const auto start = tenon::monotonic_now();
  member.signal(SIGKILL);
  row.seen = observer.end(start, row.notice);
  row.remark = ::kill(child, 0) == 0 ? "the child goes on" : "the child did not outlive it";
  row.seen += ::kill(child, SIGKILL) == 0 ? "" : ", and so did its child";
  return {finish(std::move(row), domain)};
}

// As fork(), but past the handlers that the C library runs at a fork.
pid_t bare_clone() { return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)); }

std::vector<Row> child_uses_it(const Options&) {
  Row row{.what = "a forked child uses its parent's membership", .expected = "in_child, in_child; alive"};
  const ScratchDomain domain("life");
  Actor member([&](const Actor::Stage& stage) {
    Life& life = join_for_good(domain);
    auto child = tenon::spawn([&] {
                   stage.say(static_cast<std::uint64_t>(life.confirm().error().code()));
                   stage.say(static_cast<std::uint64_t>(std::move(life).leave().error().code()));
                   return 0;
                 }).or_throw();
    child.wait(tenon::never).or_throw();
    stage.say(life.token().value());
    wait_for_the_end();
  });
  const auto confirmed = static_cast<tenon::Errc>(member.next());
  const auto left = static_cast<tenon::Errc>(member.next());
  Observer observer(domain, Token::from(member.next()));
  row.seen = std::string(name_of(confirmed)) + ", " + std::string(name_of(left)) + "; " + observer.alive_for_a_while();
  member.signal(SIGKILL);
  member.reap();
  return {finish(std::move(row), domain)};
}

std::vector<Row> exec(const Options& options) {
  Row before{.what = "exec: the old program", .expected = "died", .notice_limit = 100};
  Row after{.what = "exec: the new program, same pid", .expected = "old died, new alive; swept old; new alive"};
  const ScratchDomain domain("life");
  Actor member(member_that(domain, [&](Life& life, const Actor::Stage& stage) {
    const std::string says = std::to_string(stage.says()), hears = std::to_string(stage.hears());
    ::execl(options.program.c_str(), "life_table", "--as-member", domain.path().c_str(), says.c_str(), hears.c_str(),
            life.token().hex().c_str(), nullptr);
  }));
  Observer observer(domain, Token::from(member.next()), Ears::only);
  const auto start = tenon::monotonic_now();
  member.cue();
  before.seen = observer.end(start, before.notice);
  after.seen = "old " + std::string(name_of(static_cast<tenon::Standing>(member.next())));
  member.cue();
  Observer of_new(domain, Token::from(member.next()));
  after.seen += ", new " + of_new.alive_for_a_while();
  member.cue();
  after.seen += member.next() == 1 ? "; swept old" : "; swept something else";
  after.seen += "; new " + of_new.alive_for_a_while();
  member.signal(SIGKILL);
  member.reap();
  return {judged(std::move(before)), finish(std::move(after), domain)};
}

std::vector<Row> stopped(const Options&) {
  Row row{.what = "SIGSTOP, then SIGCONT, then it leaves", .expected = "alive, alive, left"};
  const ScratchDomain domain("life");
  Actor member(member_that(domain, [](Life& life, const Actor::Stage&) { std::move(life).leave().or_throw(); }));
  Observer observer(domain, Token::from(member.next()));
  member.signal(SIGSTOP);
  member.await_state('T');
  row.seen = observer.alive_for_a_while();
  member.signal(SIGCONT);
  row.seen += ", " + observer.alive_for_a_while();
  const auto start = tenon::monotonic_now();
  member.cue();
  row.seen += ", " + observer.end(start, row.notice);
  member.reap();
  return {finish(std::move(row), domain)};
}

std::vector<Row> removed_from_outside(const Options&) {
  Row row{.what = "its file is removed by somebody else", .expected = "absent to the others; itself told not_found"};
  const ScratchDomain domain("life");
  Actor member([&](const Actor::Stage& stage) {
    Life& life = join_for_good(domain);
    stage.say(life.token().value());
    stage.await_cue();
    stage.say(static_cast<std::uint64_t>(life.confirm().error().code()));
  });
  const Token token = Token::from(member.next());
  auto roster = tenon::Roster::open(*domain).or_throw();
  for (const std::string& name : domain.names()) {
    std::filesystem::remove(domain.path() + "/" + name);
  }
  const auto changes = roster.wait(tenon::after(std::chrono::seconds(10))).or_throw();
  const bool agree = changes.front().now == tenon::Standing::absent &&
                     standing_of(*domain, token).or_throw() == tenon::Standing::absent;
  member.cue();
  row.seen = std::string(agree ? "absent" : "something else") + " to the others; itself told " +
             std::string(name_of(static_cast<tenon::Errc>(member.next())));
  member.reap();
  return {finish(std::move(row), domain)};
}

}  // namespace

std::vector<Case> death_cases() {
  return {
      {"SIGKILL", sigkill},
      {"exit", [](const Options&) { return ends_by_itself("exit without leaving", "died", false); }},
      {"leave", [](const Options&) { return ends_by_itself("leave", "left", true); }},
      {"zombie", zombie},
      {"fork", [](const Options&) { return child_outlives("killed; its forked child goes on", ::fork, Ears::only); }},
      {"clone",
       [](const Options&) {
         return child_outlives("killed; a bare clone's child keeps the file open", bare_clone, Ears::and_eyes);
       }},
      {"child", child_uses_it},
      {"exec", exec},
      {"stop", stopped},  // F55
      {"removed", removed_from_outside},
  };
}

int play_member_after_exec(const std::vector<std::string>& arguments) {
  const auto domain = tenon::Domain::open(arguments.at(0)).or_throw();
  const Actor::Stage stage(std::stoi(arguments.at(1)), std::stoi(arguments.at(2)));
  const Token old = Token::parse(arguments.at(3)).or_throw();
  // Asked before joining, which might sweep the old one up.
  const auto standing = standing_of(domain, old).or_throw();
  const auto roster = tenon::Roster::open(domain).or_throw();
  stage.say(static_cast<std::uint64_t>(standing));
  stage.await_cue();  // whoever joins sweeps: the others are to have looked before
  const std::size_t names_before = roster.members().size();
  const Life life = Life::join(domain).or_throw();
  stage.say(life.token().value());
  stage.await_cue();
  tenon::sweep(domain).or_throw();
  const bool old_gone = standing_of(domain, old).or_throw() == tenon::Standing::absent;
  stage.say(names_before == 0 && old_gone ? 1 : 0);
  wait_for_the_end();
  return 0;
}

}  // namespace life_table
