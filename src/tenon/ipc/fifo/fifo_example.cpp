/// Child to parent through a named pipe: two processes that share nothing but a path.
#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <array>
#include <cstdio>
#include <string>
#include <unistd.h>

using namespace tenon;

namespace {

std::string read_to_end(ReadEnd reader) {
  std::string text;
  std::array<std::byte, 100> part;
  while (const std::size_t got = reader.read(part, never).or_throw()) {
    text += text_of(Bytes(part).first(got));
  }
  return text;
}

int write_greeting(const std::string& path) {
  const Fifo fifo = Fifo::open(path).or_throw();
  WriteEnd writer = fifo.open_for_writing(after(std::chrono::seconds(10))).or_throw();
  writer.write(bytes_of("Hello via FIFO!"), never).or_throw();
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  // A fixed name under /tmp could be taken by anybody; this one is new each time, unless the caller names one.
  const std::string path = argc > 1 ? argv[1] : "/tmp/fifo-" + std::to_string(::getpid());
  const Fifo fifo = Fifo::create(path).or_throw();
  const UnlinkOnExit name(Fifo::unlink, path);

  Child child = spawn([&] { return write_greeting(path); }).or_throw();

  // A writer that dies before it opens would leave a plain open(2) waiting for ever.
  ReadEnd reader = fifo.open_for_reading(after(std::chrono::seconds(10))).or_throw();
  const std::string greeting = read_to_end(std::move(reader));
  if (!greeting.empty()) {
    std::printf("Received: %s\n", greeting.c_str());
  }

  return child.wait(never).or_throw().success() && !greeting.empty() ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
