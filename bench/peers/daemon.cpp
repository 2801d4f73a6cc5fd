#include <peers/daemon.hpp>

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>

namespace peers {

std::shared_ptr<Daemon> Daemon::start(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // execvp(3) changes none of them
  }
  arguments.push_back(nullptr);
  auto child = tenon::spawn([&] {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere != -1 && ::dup2(nowhere, STDOUT_FILENO) != -1 && ::dup2(nowhere, STDERR_FILENO) != -1) {
      ::execvp(arguments.front(), arguments.data());
    }
    return 127;
  });
  return std::shared_ptr<Daemon>(new Daemon(command.front(), std::move(child).or_throw()));
}

void Daemon::await(const std::string& file) {
  const tenon::Deadline patience = tenon::after(std::chrono::seconds(20));
  while (!std::filesystem::exists(file)) {
    // The wait for its end is the pause between two looks.
    const auto ended = child_.wait(tenon::after(std::chrono::milliseconds(5)));
    if (ended || patience.passed()) {
      throw std::runtime_error(name_ + " did not start: " + (ended ? ended->message() : "it made no " + file));
    }
  }
}

Daemon::~Daemon() {
  using namespace std::chrono_literals;
  (void)child_.signal(SIGTERM);
  if (!child_.wait(tenon::after(10s))) {
    (void)child_.signal(SIGKILL);
    (void)child_.wait(tenon::never);
  }
}

}  // namespace peers
