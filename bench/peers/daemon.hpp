#pragma once
/// A server that a peer needs beside the two processes. It is forked, so it ends when this process does, however that
/// ends; it is asked to end by its process id when this goes, and killed if it does not.
#include <tenon/os/process.hpp>

#include <memory>
#include <string>
#include <vector>

namespace peers {

class Daemon {
 public:
  /// `command` is a program's name and its arguments; what it prints is dropped. Throws what spawn() fails with.
  static std::shared_ptr<Daemon> start(const std::vector<std::string>& command);

  pid_t pid() const noexcept { return child_.pid(); }
  /// Returns when it has made this file, and throws if it ends first, or takes more than 20 s.
  void await(const std::string& file);

  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

 private:
  Daemon(std::string name, tenon::Child child) : name_(std::move(name)), child_(std::move(child)) {}
  std::string name_;
  tenon::Child child_;
};

}  // namespace peers
