#include <cli/interrupt.hpp>

#include <fmt/core.h>

#include <array>
#include <csignal>

namespace tenon::cli {

namespace {

Stop* stop_of_signals = nullptr;  // a signal handler reaches nothing but globals

void on_signal(int /*number*/) { stop_of_signals->request(); }

void install() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // so that a second Ctrl-C ends what hangs in spite of the first
  for (const int number : std::array{SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before{};
    ::sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) {  // as nohup(1) and a shell's background jobs want it
      ::sigaction(number, &action, nullptr);
    }
  }
}

}  // namespace

const Stop& interrupt() {
  static Stop stop = [] { return Stop::create().or_throw(); }();
  if (stop_of_signals == nullptr) {
    stop_of_signals = &stop;
    install();
  }
  return stop;
}

Deadline step_deadline(double seconds) {
  const Deadline moment = seconds > 0 ? after(std::chrono::duration<double>(seconds)) : never;
  return moment.or_stop(interrupt());
}

Error step_failure(Error error, const std::string& uri, std::string_view missing, double seconds) {
  if (error.code() != Errc::timed_out || !error.detail().empty()) {
    return error;
  }
  return Error(Errc::timed_out).on(uri).because(fmt::format("{} within {} s", missing, seconds));
}

}  // namespace tenon::cli
