/// Parent to child through a pipe: the parent writes a greeting, the child prints it.
#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/os/process.hpp>

#include <array>
#include <cstdio>
#include <string>

using namespace tenon;

namespace {

// A pipe has no messages, only bytes: the end of this one is where the writer closes.
std::string read_to_end(ReadEnd reader) {
  std::string text;
  std::array<std::byte, 100> part;
  while (const std::size_t got = reader.read(part, never).or_throw()) {
    text += text_of(Bytes(part).first(got));
  }
  return text;
}

}  // namespace

int main() try {
  Pipe pipe = Pipe::pair().or_throw();

  Child child = spawn([&] {
                  // Keeping the reader closes the writer: else the end would never come.
                  const std::string greeting = read_to_end(std::move(pipe).into_reader());
                  if (greeting.empty()) {
                    return 1;  // the writer left without a word
                  }
                  std::printf("Child received: %s\n", greeting.c_str());
                  return 0;
                }).or_throw();

  WriteEnd writer = std::move(pipe).into_writer();
  writer.write(bytes_of("Hello from parent!"), never).or_throw();
  std::move(writer).close().or_throw();

  return child.wait(never).or_throw().success() ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
