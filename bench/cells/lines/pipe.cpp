// Pipes and FIFOs: the same bytes in the kernel, with and without a name.
#include <cells/lines/byte_line.hpp>

#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/os/poll.hpp>

#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace cells {

namespace {

using tenon::Bytes;
using tenon::MutableBytes;
using tenon::never;
using tenon::Ready;

struct Ends {
  tenon::ReadEnd reader;
  tenon::WriteEnd writer;

  tenon::Result<std::size_t> try_read(MutableBytes into) { return reader.try_read(into); }
  tenon::Result<std::size_t> read(MutableBytes into) { return reader.read(into, never); }
  tenon::Result<std::size_t> try_write(Bytes from) { return writer.try_write(from); }
  tenon::Result<std::size_t> write(Bytes from) { return writer.write(from, never); }
  void wait_readable() { tenon::wait_ready(reader.fd(), Ready::reading, never).or_throw(); }
  void wait_writable() { tenon::wait_ready(writer.fd(), Ready::writing, never).or_throw(); }
  std::size_t memory() const { return static_cast<std::size_t>(::fcntl(writer.fd().raw(), F_GETPIPE_SZ)); }
};

// The kernel makes pages of it, a power of two of them; an ordinary user's most is 1 MiB. pipe(7)
void set_capacity(tenon::FdView end, const Cell& cell) {
  const std::size_t bytes = cell.room(0) * cell.bytes;
  constexpr std::size_t usual = std::size_t{64} << 10;
  if (bytes == 0 || (cell.depth == 0 && bytes <= usual)) {
    return;
  }
  if (bytes > INT_MAX || ::fcntl(end.raw(), F_SETPIPE_SZ, static_cast<int>(bytes)) == -1) {
    throw tenon::Failure(tenon::Error(tenon::Errc::limit_reached)
                             .because(fmt::format("a pipe of {} bytes; fs.pipe-max-size is what it may have", bytes)));
  }
}

std::shared_ptr<Line> line_over(Ends ends, const Cell& cell) {
  set_capacity(ends.writer.fd(), cell);
  return std::make_shared<ByteLine<Ends>>(std::move(ends), cell);
}

std::shared_ptr<Line> open_pipe(const Cell& cell) {
  auto pipe = tenon::Pipe::pair().or_throw();
  return line_over({.reader = std::move(pipe.reader), .writer = std::move(pipe.writer)}, cell);
}

// Its name goes at once: the ends are inherited.
std::shared_ptr<Line> open_fifo(const Cell& cell) {
  static int made = 0;
  const std::string path = "/dev/shm/tenon-bench-fifo-" + std::to_string(::getpid()) + "-" + std::to_string(++made);
  const auto fifo = tenon::Fifo::create(path).or_throw();
  auto reader = fifo.try_open_for_reading();
  auto writer = fifo.try_open_for_writing();
  tenon::Fifo::unlink(path).or_throw();
  return line_over({.reader = std::move(reader).or_throw(), .writer = std::move(writer).or_throw()}, cell);
}

constexpr std::size_t any_size = std::size_t{1} << 30;

}  // namespace

LineKind pipe_line() {
  return {.name = "pipe",
          .family = "kernel",
          .about = "bytes between relatives. pipe(2)",
          .most_bytes = any_size,
          .can_poll = true,
          .open = open_pipe};
}

LineKind fifo_line() {
  return {.name = "fifo",
          .family = "kernel",
          .about = "a pipe with a name. fifo(7)",
          .most_bytes = any_size,
          .can_poll = true,
          .open = open_fifo};
}

}  // namespace cells
