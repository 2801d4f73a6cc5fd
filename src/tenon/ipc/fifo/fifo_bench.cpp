// What a FIFO's ends, and opening them, cost beside the bare calls, in pairs of blocks.
#include <tenon/ipc/fifo/fifo.hpp>

#include <tenon/os/token.hpp>
#include <tenon/os/unlink_on_exit.hpp>
#include <harness/byte_stream.hpp>

#include <cstdio>
#include <fcntl.h>
#include <string>

using namespace tenon;

namespace {

harness::StreamEnds open_bare(const std::string& path) {
  auto reader = fd_from(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), "open").or_throw();
  auto writer = fd_from(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "open").or_throw();
  ::fcntl(reader.raw(), F_SETFL, 0);
  return {.reader = std::move(reader), .writer = std::move(writer)};
}

// With the name looked at and checked, as each process does once.
harness::StreamEnds open_checked(const std::string& path) {
  const Fifo fifo = Fifo::open(path).or_throw();
  auto reader = fifo.try_open_for_reading().or_throw();
  auto writer = fifo.try_open_for_writing().or_throw();
  return {.reader = std::move(reader).into_fd(), .writer = std::move(writer).into_fd()};
}

// A FIFO of its own for each stream; its name is not needed once both ends are open.
harness::StreamEnds new_fifo() {
  const std::string path = "/tmp/fifo-bench-" + Token::random().hex();
  const Fifo fifo = Fifo::create(path).or_throw();
  const UnlinkOnExit name(Fifo::unlink, path);
  return open_bare(path);
}

}  // namespace

int main() try {
  auto pairs = harness::stream_pairs(new_fifo);
  const std::string path = "/tmp/fifo-bench-" + Token::random().hex();
  const Fifo fifo = Fifo::create(path).or_throw();
  const UnlinkOnExit name(Fifo::unlink, path);
  pairs.push_back({.name = "both ends opened and closed",
                   .bare = harness::done_by_one_process("open", [=] { const auto ends = open_bare(path); }),
                   .wrapped = harness::done_by_one_process("Fifo", [=] { const auto ends = open_checked(path); })});
  return harness::print_paired("fifo", pairs);
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
