#include "actor.hpp"

#include <tenon/os/poll.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <sched.h>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace life_table {

using namespace std::chrono_literals;
using tenon::uninterrupted;

void Actor::Stage::say(std::uint64_t number) const {
  if (uninterrupted([&] { return ::write(says_, &number, sizeof number); }) != sizeof number) {
    ::_exit(2);
  }
}

void Actor::Stage::await_cue() const {
  char cue = 0;
  if (uninterrupted([&] { return ::read(hears_, &cue, 1); }) != 1) {
    ::_exit(2);
  }
}

// Read and write end of what the actor says, then of what it hears. Not close-on-exec, for an actor may exec.
std::vector<int> Actor::two_pipes() {
  std::vector<int> ends(4);
  if (::pipe(ends.data()) == -1 || ::pipe(ends.data() + 2) == -1) {
    throw tenon::Failure(tenon::os_failure("pipe", errno));
  }
  return ends;
}

Actor::Actor(const Part& part) : Actor(part, two_pipes()) {}

Actor::Actor(const Part& part, std::vector<int> ends)
    : hears_(tenon::Fd::adopt(ends[0])),
      says_(tenon::Fd::adopt(ends[3])),
      child_(start(part, {ends[1], ends[2]}, {ends[0], ends[3]})) {}

tenon::Child Actor::start(const Part& part, const std::vector<int>& inside, const std::vector<int>& outside) {
  auto child = tenon::spawn([&]() -> int {
    for (const int end : outside) {
      ::close(end);
    }
    part(Stage(inside[0], inside[1]));
    return 0;
  });
  for (const int end : inside) {
    ::close(end);
  }
  return std::move(child).or_throw();
}

Actor::~Actor() {
  if (!reaped_) {
    (void)child_.signal(SIGKILL);
    (void)child_.wait(tenon::never);
  }
}

std::uint64_t Actor::next(std::chrono::milliseconds patience) const {
  tenon::wait_ready(hears_.view(), tenon::Ready::reading, tenon::after(patience)).or_throw();
  std::uint64_t number = 0;
  if (uninterrupted([&] { return ::read(hears_.raw(), &number, sizeof number); }) != sizeof number) {
    throw std::runtime_error("an actor died before it said what it should");
  }
  return number;
}

void Actor::cue() const {
  const char cue = '!';
  if (uninterrupted([&] { return ::write(says_.raw(), &cue, 1); }) != 1) {
    throw tenon::Failure(tenon::os_failure("write", errno));
  }
}

void Actor::await_state(char state) const {
  while (tenon::procfs::process(pid()).or_throw().state != state) {
    ::sched_yield();
  }
}

void Actor::reap() {
  child_.wait(tenon::after(30s)).or_throw();
  reaped_ = true;
}

}  // namespace life_table
