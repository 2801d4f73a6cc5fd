/// Prints the message that fifo_writer writes, and removes the FIFO.
#include "text.hpp"

#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/os/unlink_on_exit.hpp>

using namespace tenon;

int main(int argc, char** argv) {
  const std::string path = seeds::path_from(argc, argv);
  return seeds::run([&] {
    const Fifo fifo = Fifo::open_or_create(path).or_throw();
    const UnlinkOnExit name(Fifo::unlink, path);
    seeds::say("Opening FIFO for reading...");
    ReadEnd reader = fifo.open_for_reading(seeds::soon()).or_throw();
    seeds::say("Received: " + seeds::read_text(std::move(reader)));
    return 0;
  });
}
