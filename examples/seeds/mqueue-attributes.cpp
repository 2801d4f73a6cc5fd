/// The four attributes of a queue: two are fixed when it is made, one counts, and one is the descriptor's own.
#include "queue.hpp"

#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <fcntl.h>

using namespace tenon;

namespace {

// What another process finds, which asked for something else: the limits of a queue that exists are ignored.
int show_attributes(const std::string& name) {
  PosixQueue queue = PosixQueue::open_or_create(name, {.messages = 3, .message_bytes = 30}).or_throw();
  const auto all = queue.attributes().or_throw();
  seeds::say("mq_maxmsg " + std::to_string(all.messages));
  seeds::say("mq_msgsize " + std::to_string(all.message_bytes));
  seeds::say("mq_curmsgs " + std::to_string(all.waiting));
  seeds::say(all.non_blocking ? "mq_flags O_NONBLOCK" : "mq_flags 0");
  const PosixQueue own = PosixQueue::adopt(Fd::adopt(::mq_open(name.c_str(), O_RDONLY | O_NONBLOCK)));
  const bool differs = own.attributes().or_throw().non_blocking && !queue.attributes().or_throw().non_blocking;
  return differs && seeds::receive_text(queue).text == "counted" ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = seeds::queue_name_from(argc, argv);
  return seeds::run([&] {
    PosixQueue queue = PosixQueue::create(name, seeds::document_limits).or_throw();
    const UnlinkOnExit guard(PosixQueue::unlink, name);
    seeds::send_text(queue, "counted");
    Child child = spawn([&] { return show_attributes(name); }).or_throw();
    return child.wait(seeds::soon()).or_throw().success() ? 0 : 1;
  });
}
