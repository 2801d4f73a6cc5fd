/// Parent to child through a pipe; both say what they did. Nothing orders the two lines.
#include "text.hpp"

#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/os/process.hpp>

using namespace tenon;

int main() {
  return seeds::run([] {
    Pipe pipe = Pipe::pair().or_throw();
    Child child = spawn([&] {
                    seeds::say("Child received: " + seeds::read_text(std::move(pipe).into_reader()));
                    return 0;
                  }).or_throw();

    const std::string message = "Hello from parent!";
    WriteEnd writer = std::move(pipe).into_writer();
    writer.write(bytes_of(message), seeds::soon()).or_throw();
    seeds::say("Parent sent: " + message);
    std::move(writer).close().or_throw();

    return child.wait(seeds::soon()).or_throw().success() ? 0 : 1;
  });
}
