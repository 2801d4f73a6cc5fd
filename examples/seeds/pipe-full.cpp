/// A pipe holds so much and no more: the writer waits, goes on when the reader has read, and the reader sees the end.
#include "text.hpp"

#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/os/process.hpp>

#include <vector>

using namespace tenon;

namespace {

// Writes until the pipe takes no more; returns how much it took.
std::size_t fill(WriteEnd& writer) {
  const std::vector<std::byte> page(pipe_atomic_size);
  std::size_t held = 0;
  auto written = writer.try_write(page);
  for (; written; written = writer.try_write(page)) {
    held += *written;
  }
  return written.failed_with(Errc::would_block) ? held : throw Failure(written.error());
}

int read_all(ReadEnd reader, std::size_t expected) {
  std::size_t got = 0;
  std::vector<std::byte> part(pipe_atomic_size);
  while (const std::size_t size = reader.read(part, seeds::soon()).or_throw()) {
    got += size;
  }
  if (got != expected) {
    return 1;
  }
  seeds::say("EOF");
  return 0;
}

}  // namespace

int main() {
  return seeds::run([] {
    Pipe pipe = Pipe::pair().or_throw();
    const std::size_t held = fill(pipe.writer);
    seeds::say("capacity " + std::to_string(held));
    seeds::say("writer blocks");

    const std::string more = "one more";
    Child child = spawn([&] { return read_all(std::move(pipe).into_reader(), held + more.size()); }).or_throw();
    WriteEnd writer = std::move(pipe).into_writer();
    writer.write(bytes_of(more), seeds::soon()).or_throw();
    seeds::say("writer resumes");
    std::move(writer).close().or_throw();

    return child.wait(seeds::soon()).or_throw().success() ? 0 : 1;
  });
}
