/// Writes a greeting into a FIFO and removes its name. Its partner is fifo-hello-reader; either may be started first.
#include "text.hpp"

#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/os/unlink_on_exit.hpp>

using namespace tenon;

int main(int argc, char** argv) {
  const std::string path = seeds::path_from(argc, argv);
  return seeds::run([&] {
    const Fifo fifo = Fifo::open_or_create(path).or_throw();
    // The reader has the FIFO open by the time the name goes: the open below waits for it.
    const UnlinkOnExit name(Fifo::unlink, path);
    const std::string message = "Hello through FIFO!";
    WriteEnd writer = fifo.open_for_writing(seeds::soon()).or_throw();
    writer.write(bytes_of(message), seeds::soon()).or_throw();
    seeds::say("Writer: Sent '" + message + "'");
    return 0;
  });
}
