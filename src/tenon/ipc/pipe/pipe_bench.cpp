// What the ends of a pipe cost beside the bare calls, in pairs of blocks.
#include <tenon/ipc/pipe/pipe.hpp>

#include <harness/byte_stream.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

using namespace tenon;

namespace {

harness::StreamEnds bare_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) == -1) {
    throw Failure(os_failure("pipe", errno));
  }
  return {.reader = Fd::adopt(ends[0]), .writer = Fd::adopt(ends[1])};
}

}  // namespace

int main() {
  auto pairs = harness::stream_pairs(bare_pipe);
  pairs.push_back({.name = "made and closed",
                   .bare = harness::done_by_one_process("pipe2", [] { const auto made = bare_pipe(); }),
                   .wrapped = harness::done_by_one_process("pair", [] { const auto made = Pipe::pair().or_throw(); })});
  return harness::print_paired("pipe", pairs);
}
