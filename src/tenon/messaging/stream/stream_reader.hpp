#pragma once
/// The end of a stream that bytes come out of. README.md of this folder.
#include <tenon/base/bytes.hpp>
#include <tenon/messaging/stream/stream_options.hpp>
#include <tenon/messaging/stream/stream_reader_port.hpp>

#include <memory>
#include <utility>

namespace tenon {

/// Verbs and counts are those of ReadEnd (os/read_end.hpp), a pipe's: 0 is the end. That the writer died is told apart.
///
/// Threads: one at a time. fork: the child's copy answers in_child.
class StreamReader {
 public:
  /// Takes the reading end of the stream of that name, and waits for who writes it. Outcomes: timed_out, stopped
  /// (nobody came); already_exists (somebody has this end); not_found (its file was removed from outside meanwhile).
  /// Failures: invalid_name, limit_reached, no_space, permission_denied, in_child; corrupt, version_mismatch,
  /// not_supported (what stands there as the writer's file).
  static Result<StreamReader> open(const Holder& holder, std::string_view name, const StreamReaderOptions& options,
                                   Deadline deadline) {
    return StreamReaderPort::open(holder, name, options, deadline)
        .transform([](std::unique_ptr<StreamReaderPort> port) { return StreamReader(std::move(port)); });
  }
  static Result<StreamReader> open(const Holder& holder, std::string_view name, Deadline deadline) {
    return open(holder, name, {}, deadline);
  }

  /// Takes the bytes that are there, at least one, at most into.size(). 0 is the end: the writer has closed and all is
  /// read. Outcomes: timed_out, stopped; peer_died (the writer died, and all that it had written is read). Failures:
  /// invalid_argument (`into` is empty), corrupt (what the writer says of itself makes no sense), in_child.
  [[gnu::always_inline]] Result<std::size_t> read(MutableBytes into, Deadline deadline) {
    const std::size_t count = port_->read_at_once(into);
    return count != 0 ? Result<std::size_t>(count) : port_->read(into, deadline);
  }
  /// Outcomes: would_block (nothing is there, but something may still come; 0 tells that nothing will), peer_died.
  /// Failures: invalid_argument, corrupt, in_child.
  [[gnu::always_inline]] Result<std::size_t> try_read(MutableBytes into) {
    const std::size_t count = port_->read_at_once(into);
    return count != 0 ? Result<std::size_t>(count) : port_->try_read(into);
  }

  /// All the bytes that are there, in place, at least `least` of them (at least 1, at most what the stream holds); they
  /// stay there until consume(). Fewer, or none, only before the end. The writer may change them at any time, so who
  /// distrusts it copies before checking. Outcomes: timed_out, stopped, peer_died. Failures: corrupt, in_child.
  Result<StreamRuns<const std::byte>> peek(std::size_t least, Deadline deadline) {
    return port_->peek(least, deadline);
  }
  /// Outcomes: would_block, peer_died. Failures: corrupt, in_child.
  Result<StreamRuns<const std::byte>> try_peek(std::size_t least = 1) { return port_->try_peek(least); }
  /// Lets the oldest `count` bytes go, which were seen there. Failures: in_child.
  Result<void> consume(std::size_t count) { return port_->consume(count); }
  /// For a Dispatcher: as try_peek(), but the end is `closed`, and once told it is told no more. Who consumes nothing
  /// is called again. Outcomes: would_block, closed, peer_died. Failures: corrupt, in_child.
  Result<StreamRuns<const std::byte>> try_receive() { return port_->try_receive(); }

  /// How many bytes may be written and not yet read, as the writer chose.
  std::size_t capacity() const noexcept { return port_->capacity(); }
  std::int32_t peer_pid() const noexcept { return port_->peer_pid(); }

  /// Readable whenever try_read() is worth a call after it has said would_block. Made by the first call. Failures:
  /// limit_reached, no_space, permission_denied, in_child.
  Result<FdView> fd() { return port_->fd(); }
  /// Whether the stream's name still leads here. Outcomes: not_found (it was removed from outside). Failures: in_child.
  Result<void> confirm() const { return port_->confirm(); }
  /// The writer is told `closed`; what it wrote and nobody read is gone. Failures: in_child.
  Result<void> close() && { return std::exchange(port_, nullptr)->close(); }

 private:
  explicit StreamReader(std::unique_ptr<StreamReaderPort> port) noexcept : port_(std::move(port)) {}
  std::unique_ptr<StreamReaderPort> port_;
};

}  // namespace tenon
