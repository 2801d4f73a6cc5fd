// Two copies of the library in one process. Each has a life file, and any close of the other's file would drop its
// lock.
#include "actor.hpp"
#include "observer.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/life_sweep.hpp>

#include <csignal>
#include <dlfcn.h>
#include <stdexcept>
#include <unistd.h>

namespace life_table {

namespace {

using tenon::Standing;
using tenon::Token;

struct Copy {
  std::uint64_t (*join)(const char*);
  unsigned (*standing)(std::uint64_t);
  void (*leave)();
  const void* (*identity)();

  explicit Copy(const std::string& file) {
    void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      throw std::runtime_error(::dlerror());
    }
    join = reinterpret_cast<decltype(join)>(::dlsym(library, "life_copy_join"));
    standing = reinterpret_cast<decltype(standing)>(::dlsym(library, "life_copy_standing"));
    leave = reinterpret_cast<decltype(leave)>(::dlsym(library, "life_copy_leave"));
    identity = reinterpret_cast<decltype(identity)>(::dlsym(library, "life_copy_identity"));
  }
};

void play_two_copies(const Actor::Stage& stage, const std::string& folder, const std::string& domain) {
  const Copy a(folder + "/liblife_copy_a.so"), b(folder + "/liblife_copy_b.so");
  const std::uint64_t of_a = a.join(domain.c_str()), of_b = b.join(domain.c_str());
  stage.say(of_a);
  stage.say(of_b);
  stage.say(a.standing(of_b));
  stage.say(b.standing(of_a));
  stage.say(a.identity() != b.identity() ? 1 : 0);
  stage.await_cue();
  a.leave();
  stage.say(b.standing(of_a));
  stage.await_cue();
}

std::string word(std::uint64_t standing) {
  return standing > 3 ? "in two minds" : std::string(name_of(static_cast<Standing>(standing)));
}

std::vector<Row> two_copies(const Options& options) {
  Row row{.what = "two copies of the library in one process",
          .expected =
              "to each other alive and alive; outside alive and alive; a leaves: absent to b, left outside, b "
              "alive; killed: died",
          .notice_limit = 100};
  const ScratchDomain domain("life");
  const std::string folder = options.program.substr(0, options.program.rfind('/'));
  Actor member([&](const Actor::Stage& stage) { play_two_copies(stage, folder, domain.path()); });
  const Token of_a = Token::from(member.next()), of_b = Token::from(member.next());
  row.seen = "to each other " + word(member.next());
  row.seen += " and " + word(member.next());
  row.remark = member.next() == 1 ? "" : "it is one copy only";
  Observer a(domain, of_a, Ears::only), b(domain, of_b, Ears::only);
  row.seen += "; outside " + a.alive_for_a_while() + " and " + b.alive_for_a_while();
  std::vector<double> until_left;
  const auto left = tenon::monotonic_now();
  member.cue();
  const std::string to_b = word(member.next());
  row.seen += "; a leaves: " + to_b + " to b, " + a.end(left, until_left) + " outside, b " +
              std::string(name_of(b.peer().standing().or_throw()));
  const auto killed = tenon::monotonic_now();
  member.signal(SIGKILL);
  row.seen += "; killed: " + b.end(killed, row.notice);
  tenon::sweep(*domain).or_throw();
  row.seen += row.remark + (domain.names().empty() ? "" : ", not swept");
  return {judged(std::move(row))};
}

}  // namespace

std::vector<Case> copy_cases() { return {{"copies", two_copies}}; }

}  // namespace life_table
