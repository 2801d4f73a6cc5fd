/// Without waiting: a writer with no reader is told so, a reader opens at once.
#include "text.hpp"

#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/os/unlink_on_exit.hpp>

using namespace tenon;

int main(int argc, char** argv) {
  const std::string path = seeds::path_from(argc, argv);
  return seeds::run([&] {
    const Fifo fifo = Fifo::create(path).or_throw();
    const UnlinkOnExit name(Fifo::unlink, path);
    const auto lonely = fifo.try_open_for_writing();
    if (!lonely.failed_with(Errc::no_peer)) {
      return 1;
    }
    seeds::say("no reader");
    const ReadEnd reader = fifo.try_open_for_reading().or_throw();
    const WriteEnd writer = fifo.try_open_for_writing().or_throw();  // and now there is one
    return 0;
  });
}
