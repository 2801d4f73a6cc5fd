#pragma once
/// The reading end of a stream: StreamReader is its handle. What it does for each short read stands here.
///
/// Threads: one at a time. After fork() the child's copy answers in_child.
#include <tenon/base/bytes.hpp>
#include <tenon/messaging/stream/stream_end.hpp>
#include <tenon/messaging/stream/stream_options.hpp>
#include <tenon/messaging/stream/stream_ring.hpp>

#include <algorithm>
#include <memory>

namespace tenon {

class alignas(128) StreamReaderPort : public StreamEnd {
 public:
  static Result<std::unique_ptr<StreamReaderPort>> open(const Holder& holder, std::string_view name,
                                                        const StreamReaderOptions& options, Deadline deadline,
                                                        std::uint32_t first_bell = 0);

  /// Takes what is there, at most into.size(), if that is at least one byte and nothing else is to be said: else 0, and
  /// read() says what.
  [[gnu::always_inline]] std::size_t read_at_once(MutableBytes into) {
    if (consumer_.available() < into.size() && !consumer_.look()) [[unlikely]] {
      return 0;
    }
    const std::uint64_t count = std::min<std::uint64_t>(into.size(), consumer_.available());
    if (count > piece_ || !is_of_this_process()) [[unlikely]] {
      return 0;
    }
    if (count != 0) [[likely]] {
      consumer_.take(into.first(count));
      tell(consumer_.at());
    }
    return count;
  }
  Result<std::size_t> read(MutableBytes into, Deadline deadline);
  Result<std::size_t> try_read(MutableBytes into);
  Result<StreamRuns<const std::byte>> peek(std::size_t least, Deadline deadline);
  Result<StreamRuns<const std::byte>> try_peek(std::size_t least);
  Result<StreamRuns<const std::byte>> try_receive();
  Result<void> consume(std::size_t count);

  std::size_t capacity() const noexcept { return consumer_.capacity(); }

 private:
  StreamReaderPort(const Holder& holder, std::string_view name, StreamMeeting::Pair pair, Waiting waiting);

  Result<std::uint64_t> look_for(std::uint64_t least);
  Result<std::uint64_t> look_and_listen(std::uint64_t least);
  Result<std::uint64_t> await(std::uint64_t least, Deadline deadline);
  std::size_t take_all(MutableBytes into);

  StreamConsumer<> consumer_;
  std::uint64_t piece_;  ///< how much is copied before the writer is told of it
  bool end_was_told_ = false;
};

}  // namespace tenon
