#pragma once
/// What the examples that get stuck share: one program that plays several roles, each a process of its own, and a stage
/// that stands until whoever started it has looked at it.
#include <tenon/os/process.hpp>

#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

namespace night {

/// "camera", and what it does.
struct Role {
  std::string name;
  std::function<void()> play;
};

/// The roles that are on the stage. They are killed when it goes, or with this program.
class Cast {
 public:
  Cast(const char* program, const std::vector<Role>& roles) {
    for (const Role& role : roles) {
      children_.push_back(tenon::spawn_program(program, {role.name}).or_throw());
    }
  }
  ~Cast() {
    for (tenon::Child& child : children_) {
      [[maybe_unused]] const auto told = child.signal(SIGKILL);
      [[maybe_unused]] const auto ended = child.wait(tenon::never);
    }
  }
  Cast(const Cast&) = delete;
  Cast& operator=(const Cast&) = delete;

 private:
  std::vector<tenon::Child> children_;
};

/// Says what is on the stage, and waits until standard input ends.
inline void stand(const char* what) {
  std::printf("%s\n", what);
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

/// Without an argument runs `direct`, which puts the roles on the stage; with one plays the role of that name.
inline int run(int argc, char** argv, const std::vector<Role>& roles, const std::function<void()>& direct) try {
  for (const Role& role : roles) {
    if (argc == 2 && role.name == argv[1]) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      role.play();
    }
  }
  if (argc == 1) {
    direct();
  }
  return 0;
} catch (const tenon::Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

}  // namespace night
