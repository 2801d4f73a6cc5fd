/// Prints the greeting that fifo-hello-writer writes.
#include "text.hpp"

#include <tenon/ipc/fifo/fifo.hpp>

using namespace tenon;

int main(int argc, char** argv) {
  const std::string path = seeds::path_from(argc, argv);
  return seeds::run([&] {
    // The writer may not have come yet: whoever is first makes the FIFO.
    const Fifo fifo = Fifo::open_or_create(path).or_throw();
    ReadEnd reader = fifo.open_for_reading(seeds::soon()).or_throw();
    seeds::say("Reader: Received '" + seeds::read_text(std::move(reader)) + "'");
    return 0;
  });
}
