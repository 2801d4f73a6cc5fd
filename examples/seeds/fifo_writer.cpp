/// Writes one message into a FIFO. Its partner is fifo_reader; either may be started first.
#include "text.hpp"

#include <tenon/ipc/fifo/fifo.hpp>

using namespace tenon;

int main(int argc, char** argv) {
  const std::string path = seeds::path_from(argc, argv);
  return seeds::run([&] {
    const Fifo fifo = Fifo::open_or_create(path).or_throw();
    seeds::say("Opening FIFO for writing...");
    WriteEnd writer = fifo.open_for_writing(seeds::soon()).or_throw();
    writer.write(bytes_of("Message through FIFO"), seeds::soon()).or_throw();
    std::move(writer).close().or_throw();
    return 0;
  });
}
