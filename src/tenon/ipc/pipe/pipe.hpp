#pragma once
/// A one-way byte stream between processes that inherit or are handed its ends. pipe(7)
#include <tenon/os/read_end.hpp>
#include <tenon/os/write_end.hpp>

namespace tenon {

/// Both ends of a new pipe. After fork() each side keeps one: `auto reader = std::move(pipe).into_reader();`. As long
/// as any process holds a write end, readers do not see the end of the stream. Threads: pair from several at once; each
/// end as ReadEnd and WriteEnd say; into_reader and into_writer when no other thread uses the pipe.
struct Pipe {
  ReadEnd reader;
  WriteEnd writer;

  /// Both ends are close-on-exec. Failures: limit_reached (RLIMIT_NOFILE, fs.file-max, fs.pipe-user-pages-hard).
  /// pipe(2)
  static Result<Pipe> pair();

  /// Keeps this end and closes the other.
  ReadEnd into_reader() && {
    const WriteEnd closed = std::move(writer);
    return std::move(reader);
  }
  WriteEnd into_writer() && {
    const ReadEnd closed = std::move(reader);
    return std::move(writer);
  }
};

}  // namespace tenon
