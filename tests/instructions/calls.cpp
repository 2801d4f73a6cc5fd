/// The bare calls and the wrapped ones, each in a loop that `count` measures from outside: instructions by callgrind,
/// system calls by strace, allocations by what stands in for malloc here.
///
///     calls LOOPS
#include "calls.hpp"

#include <tenon/os/read_end.hpp>
#include <tenon/os/write_end.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <unistd.h>

using namespace tenon;
using calls::measure;
using calls::must;

namespace {

std::size_t allocated = 0;

}  // namespace

std::size_t calls::allocations() noexcept { return allocated; }
void calls::mark(const std::string& text) { (void)!::write(-1, text.data(), text.size()); }

// glibc's own entry points, so that nothing here looks up a symbol while the counting goes on.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++allocated;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocated;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++allocated;
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++allocated;
  return __libc_memalign(alignment, size);
}
}

namespace {

constexpr std::size_t message = 64;

// As many bytes as a pipe has room for without anybody reading.
constexpr int most_loops = 65536 / message;

struct Ends {
  ReadEnd reader;
  WriteEnd writer;
};

Ends new_pipe(int flags) {
  std::array<int, 2> raw{};
  must(::pipe2(raw.data(), O_CLOEXEC | flags) == 0);
  return {.reader = ReadEnd::adopt(Fd::adopt(raw[0])), .writer = WriteEnd::adopt(Fd::adopt(raw[1]))};
}

std::array<std::byte, message> buffer;

void fill(const Ends& ends, int messages) {
  for (int i = 0; i < messages; ++i) {
    must(::write(ends.writer.fd().raw(), buffer.data(), message) == message);
  }
}

void measure_writes(int loops) {
  const Ends blocking = new_pipe(0);
  measure("write/never/bare", loops,
          [fd = blocking.writer.fd().raw()] { must(::write(fd, buffer.data(), message) == message); });
  Ends wrapped = new_pipe(0);
  measure("write/never/wrapped", loops, [&] { must(wrapped.writer.write(buffer, never).value_or(0) == message); });

  const Ends flagged = new_pipe(O_NONBLOCK);
  measure("write/try_/bare", loops,
          [fd = flagged.writer.fd().raw()] { must(::write(fd, buffer.data(), message) == message); });
  Ends trying = new_pipe(0);
  measure("write/try_/wrapped", loops, [&] { must(trying.writer.try_write(buffer).value_or(0) == message); });

  const Ends again = new_pipe(O_NONBLOCK);
  measure("write/deadline/bare", loops,
          [fd = again.writer.fd().raw()] { must(::write(fd, buffer.data(), message) == message); });
  Ends timed = new_pipe(0);
  const Deadline deadline = after(std::chrono::hours(1));
  measure("write/deadline/wrapped", loops, [&] { must(timed.writer.write(buffer, deadline).value_or(0) == message); });
}

void measure_full(int loops) {
  const Ends bare = new_pipe(O_NONBLOCK);
  fill(bare, most_loops);
  measure("write/full/bare", loops,
          [fd = bare.writer.fd().raw()] { must(::write(fd, buffer.data(), message) == -1 && errno == EAGAIN); });
  Ends wrapped = new_pipe(0);
  fill(wrapped, most_loops);
  measure("write/full/wrapped", loops, [&] { must(wrapped.writer.try_write(buffer).failed_with(Errc::would_block)); });
}

void measure_reads(int loops) {
  const Ends blocking = new_pipe(0);
  fill(blocking, loops + 1);
  measure("read/never/bare", loops,
          [fd = blocking.reader.fd().raw()] { must(::read(fd, buffer.data(), message) == message); });
  Ends wrapped = new_pipe(0);
  fill(wrapped, loops + 1);
  measure("read/never/wrapped", loops, [&] { must(wrapped.reader.read(buffer, never).value_or(0) == message); });

  const Ends flagged = new_pipe(O_NONBLOCK);
  fill(flagged, loops + 1);
  measure("read/try_/bare", loops,
          [fd = flagged.reader.fd().raw()] { must(::read(fd, buffer.data(), message) == message); });
  Ends trying = new_pipe(0);
  fill(trying, loops + 1);
  measure("read/try_/wrapped", loops, [&] { must(trying.reader.try_read(buffer).value_or(0) == message); });

  const Ends again = new_pipe(O_NONBLOCK);
  fill(again, loops + 1);
  measure("read/deadline/bare", loops,
          [fd = again.reader.fd().raw()] { must(::read(fd, buffer.data(), message) == message); });
  Ends timed = new_pipe(0);
  fill(timed, loops + 1);
  const Deadline deadline = after(std::chrono::hours(1));
  measure("read/deadline/wrapped", loops, [&] { must(timed.reader.read(buffer, deadline).value_or(0) == message); });
}

void measure_empty(int loops) {
  const Ends bare = new_pipe(O_NONBLOCK);
  measure("read/empty/bare", loops,
          [fd = bare.reader.fd().raw()] { must(::read(fd, buffer.data(), message) == -1 && errno == EAGAIN); });
  Ends wrapped = new_pipe(0);
  measure("read/empty/wrapped", loops, [&] { must(wrapped.reader.try_read(buffer).failed_with(Errc::would_block)); });
}

// The control: a wrapper that makes one system call too many, allocates, and computes too much must not pass.
void measure_control(int loops) {
  const Ends bare = new_pipe(0);
  measure("control/too-much/bare", loops,
          [fd = bare.writer.fd().raw()] { must(::write(fd, buffer.data(), message) == message); });
  const Ends wasteful = new_pipe(0);
  measure("control/too-much/wrapped", loops, [&] {
    const std::string copy(reinterpret_cast<const char*>(buffer.data()), message);
    must(::write(wasteful.writer.fd().raw(), copy.data(), message / 2) == message / 2);
    must(::write(wasteful.writer.fd().raw(), copy.data(), message / 2) == message / 2);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const int loops = argc > 1 ? std::atoi(argv[1]) : 0;
  if (loops < 1 || loops >= most_loops) {
    std::fprintf(stderr, "usage: calls LOOPS, from 1 to %d\n", most_loops - 1);
    return 2;
  }
  measure_writes(loops);
  measure_full(loops);
  measure_reads(loops);
  measure_empty(loops);
  calls::measure_semaphores(loops);
  calls::measure_memory(loops);
  calls::measure_sockets(loops);
  calls::measure_queues(loops);
  measure_control(loops);
  return 0;
}
