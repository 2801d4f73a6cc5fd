// Pipes and FIFOs: the same bytes in the kernel, with and without a name.
#include <cells/lines/byte_line.hpp>

#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/ipc/pipe/pipe.hpp>

#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace cells {

namespace {

std::size_t capacity_of(tenon::FdView end) { return static_cast<std::size_t>(::fcntl(end.raw(), F_GETPIPE_SZ)); }
using Ends = HandleEnds<tenon::ReadEnd, tenon::WriteEnd, capacity_of>;

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
