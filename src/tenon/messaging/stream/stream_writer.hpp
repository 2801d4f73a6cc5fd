#pragma once
/// The end of a stream that bytes go into. README.md of this folder.
#include <tenon/base/bytes.hpp>
#include <tenon/messaging/stream/stream_options.hpp>
#include <tenon/messaging/stream/stream_writer_port.hpp>

#include <memory>
#include <span>
#include <utility>

namespace tenon {

/// Verbs and counts are those of WriteEnd (os/write_end.hpp), a pipe's.
///
/// Threads: one at a time. fork: the child's copy answers in_child.
class StreamWriter {
 public:
  /// Takes the writing end of the stream of that name, and waits for who reads it. Outcomes: timed_out, stopped (nobody
  /// came); already_exists (somebody has this end); not_found (its file was removed from outside meanwhile). Failures:
  /// invalid_name, invalid_argument (no capacity), limit_reached, no_space, permission_denied, in_child; corrupt,
  /// version_mismatch, not_supported (what stands there as the reader's file).
  static Result<StreamWriter> open(const Holder& holder, std::string_view name, const StreamWriterOptions& options,
                                   Deadline deadline) {
    return StreamWriterPort::open(holder, name, options, deadline)
        .transform([](std::unique_ptr<StreamWriterPort> port) { return StreamWriter(std::move(port)); });
  }
  static Result<StreamWriter> open(const Holder& holder, std::string_view name, Deadline deadline) {
    return open(holder, name, {}, deadline);
  }

  /// Writes all of it; returns fewer than from.size() only if something went wrong after the first bytes, and then the
  /// next call tells what. What it returns as written the reader gets, also if this process dies. Outcomes: timed_out,
  /// stopped, closed (the reader has closed), peer_died (it died). Failures: corrupt (what the reader says of itself
  /// makes no sense), in_child.
  [[gnu::always_inline]] Result<std::size_t> write(Bytes from, Deadline deadline) {
    return port_->write_at_once(from) ? Result<std::size_t>(from.size()) : port_->write(from, deadline);
  }
  /// Writes what there is room for. Outcomes: would_block, closed, peer_died. Failures: corrupt, in_child.
  [[gnu::always_inline]] Result<std::size_t> try_write(Bytes from) {
    return port_->write_at_once(from) ? Result<std::size_t>(from.size()) : port_->try_write(from);
  }
  /// Writes the pieces one after another, as write does with one.
  Result<std::size_t> write_gathered(std::span<const Bytes> pieces, Deadline deadline) {
    return port_->write_gathered(pieces, deadline);
  }

  /// Where to write in place, at most `wanted` bytes (at least 1) and at least one; nothing of it is sent before
  /// commit(), which takes as many as it is told, and the next call of any other kind gives it back. Outcomes:
  /// timed_out, stopped, closed, peer_died. Failures: invalid_argument (`wanted` is 0), corrupt, in_child.
  Result<StreamRuns<std::byte>> loan(std::size_t wanted, Deadline deadline) { return port_->loan(wanted, deadline); }
  /// Outcomes: would_block, closed, peer_died. Failures: invalid_argument, corrupt, in_child.
  Result<StreamRuns<std::byte>> try_loan(std::size_t wanted) { return port_->try_loan(wanted); }
  /// Sends the first `count` bytes of what was lent. Outcomes: closed. Failures: in_child.
  Result<void> commit(std::size_t count) { return port_->commit(count); }

  /// Waits until the reader has closed or died, and says which. Outcomes: timed_out, stopped; closed and peer_died
  /// are what it waits for.
  Error wait_closed(Deadline deadline) { return port_->wait_closed(deadline); }

  /// How many bytes may be written and not yet read: what was asked for, or the next power of two.
  std::size_t capacity() const noexcept { return port_->capacity(); }
  /// Bytes that were written and not yet read, as the reader says.
  std::size_t buffered() const noexcept { return port_->buffered(); }
  std::int32_t peer_pid() const noexcept { return port_->peer_pid(); }

  /// Readable, and not writable, whenever try_write() is worth a call after it has said would_block: there is room, or
  /// nobody reads any more. Made by the first call. Failures: limit_reached, no_space, permission_denied, in_child.
  Result<FdView> fd() { return port_->fd(); }
  /// Whether the stream's name still leads here. Outcomes: not_found (it was removed from outside). Failures: in_child.
  Result<void> confirm() const { return port_->confirm(); }
  /// The end of the stream: the reader drains what was written. Failures: in_child.
  Result<void> close() && { return std::exchange(port_, nullptr)->close(); }

 private:
  explicit StreamWriter(std::unique_ptr<StreamWriterPort> port) noexcept : port_(std::move(port)) {}
  std::unique_ptr<StreamWriterPort> port_;
};

}  // namespace tenon
