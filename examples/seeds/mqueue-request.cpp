/// Question and answer: one queue for each way, since whoever asks would take its own question from a single one.
#include "queue.hpp"

#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

using namespace tenon;

int main(int argc, char** argv) {
  const std::string name = seeds::queue_name_from(argc, argv);
  return seeds::run([&] {
    PosixQueue requests = PosixQueue::create(name, seeds::document_limits).or_throw();
    const UnlinkOnExit guard(PosixQueue::unlink, name);
    PosixQueue replies = PosixQueue::create(name + "-replies", seeds::document_limits).or_throw();
    const UnlinkOnExit reply_guard(PosixQueue::unlink, name + "-replies");

    Child server = spawn([&] {
                     const std::string question = seeds::receive_text(requests).text;
                     seeds::say("request: " + question);
                     seeds::send_text(replies, question == "6 * 7" ? "42" : "no idea");
                     return 0;
                   }).or_throw();
    seeds::send_text(requests, "6 * 7");
    seeds::say("reply: " + seeds::receive_text(replies).text);
    return server.wait(seeds::soon()).or_throw().success() ? 0 : 1;
  });
}
