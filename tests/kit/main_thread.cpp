#include <kit/main_thread.hpp>

#include <kit/reported_child.hpp>
#include <kit/watchdog.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace kit {

namespace {

[[noreturn]] void outlive_main_thread(pid_t main_thread, const std::function<void()>& body) {
  const std::string first = "/proc/self/task/" + std::to_string(main_thread) + "/fd/0";
  while (::access(first.c_str(), F_OK) == 0) {
    std::this_thread::yield();
  }
  try {
    body();
  } catch (const std::exception& exception) {
    ADD_FAILURE() << exception.what();
  }
  ::_exit(0);  // what failed has been reported
}

}  // namespace

void without_main_thread(const std::function<void()>& body) {
  const Watchdog watchdog("a process without its main thread");
  ReportedChild child("without its main thread", [&] {
    std::thread(outlive_main_thread, ::getpid(), body).detach();
    ::syscall(SYS_exit, 0);  // this thread alone
  });
  (void)child.finish(tenon::never);
}

}  // namespace kit
