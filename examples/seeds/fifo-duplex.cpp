/// A FIFO goes one way; a conversation needs two.
#include "text.hpp"

#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

using namespace tenon;

namespace {

void write_text(const Fifo& fifo, const std::string& text) {
  WriteEnd writer = fifo.open_for_writing(seeds::soon()).or_throw();
  writer.write(bytes_of(text), seeds::soon()).or_throw();
}

std::string read_from(const Fifo& fifo) { return seeds::read_text(fifo.open_for_reading(seeds::soon()).or_throw()); }

}  // namespace

int main(int argc, char** argv) {
  const std::string path = seeds::path_from(argc, argv);
  return seeds::run([&] {
    const std::string back_path = path + "-back";
    const Fifo there = Fifo::create(path).or_throw();
    const UnlinkOnExit there_name(Fifo::unlink, path);
    const Fifo back = Fifo::create(back_path).or_throw();
    const UnlinkOnExit back_name(Fifo::unlink, back_path);

    Child child = spawn([&] {
                    seeds::say(read_from(there));
                    write_text(back, "pong");
                    return 0;
                  }).or_throw();
    write_text(there, "ping");
    seeds::say(read_from(back));

    return child.wait(seeds::soon()).or_throw().success() ? 0 : 1;
  });
}
