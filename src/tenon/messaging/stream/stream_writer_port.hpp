#pragma once
/// The writing end of a stream: StreamWriter is its handle. What it does for each short write stands here.
///
/// Threads: one at a time. After fork() the child's copy answers in_child.
#include <tenon/base/bytes.hpp>
#include <tenon/messaging/stream/stream_end.hpp>
#include <tenon/messaging/stream/stream_options.hpp>
#include <tenon/messaging/stream/stream_ring.hpp>

#include <memory>
#include <span>
#include <utility>

namespace tenon {

class alignas(128) StreamWriterPort : public StreamEnd {
 public:
  static Result<std::unique_ptr<StreamWriterPort>> open(const Holder& holder, std::string_view name,
                                                        const StreamWriterOptions& options, Deadline deadline);
  /// The same, whose counts begin elsewhere.
  static Result<std::unique_ptr<StreamWriterPort>> open(const Holder& holder, std::string_view name,
                                                        const StreamShape& shape, Waiting waiting, Deadline deadline);

  /// Writes it if there is room for all of it, the reader does not sleep, and nothing is to be said: else it writes
  /// nothing, or has written all and says so to write() or try_write(), which is called next.
  [[gnu::always_inline]] bool write_at_once(Bytes from) {
    if (from.size() > producer_.room() || from.size() > at_once_ || !is_of_this_process()) [[unlikely]] {
      return false;
    }
    producer_.put(from);
    if (is_left_alone()) [[likely]] {
      return true;
    }
    is_put_ = true;
    return false;
  }
  Result<std::size_t> write(Bytes from, Deadline deadline);
  Result<std::size_t> try_write(Bytes from);
  Result<std::size_t> write_gathered(std::span<const Bytes> pieces, Deadline deadline);
  Result<StreamRuns<std::byte>> loan(std::size_t wanted, Deadline deadline);
  Result<StreamRuns<std::byte>> try_loan(std::size_t wanted);
  Result<void> commit(std::size_t count);
  Error wait_closed(Deadline deadline);

  std::size_t capacity() const noexcept { return producer_.capacity(); }
  std::size_t buffered() const noexcept;

 private:
  StreamWriterPort(const Holder& holder, std::string_view name, StreamMeeting::Pair pair, Waiting waiting);

  Result<std::size_t> put_what_fits(Bytes from, bool may_wait);
  Result<void> look_for_room();
  Result<void> look_for_reader();
  Result<void> await_room(std::uint64_t wanted, Deadline deadline);
  void gather_room() noexcept;
  Result<void> after_put();
  std::uint64_t wake_at(std::uint64_t wanted) const noexcept;

  StreamProducer<> producer_;
  std::uint64_t piece_;    ///< how much is copied before the reader is told of it
  std::uint64_t at_once_;  ///< up to so much goes without a further look; 0 once it is known that nobody reads
  std::uint64_t enough_;   ///< how much room who waits for some waits for
  bool is_put_ = false;    ///< write_at_once() has written, and the rest is to be done
};

}  // namespace tenon
