#pragma once
/// Frames over the bytes of a pipe or FIFO. Each frame is written in one piece that the kernel does not interleave, so
/// several senders may share the pipe.
#include <tenon/channel/carrier.hpp>
#include <tenon/os/read_end.hpp>
#include <tenon/os/write_end.hpp>

#include <memory>

namespace tenon {

class PipeSink final : public FrameSink {
 public:
  explicit PipeSink(WriteEnd end) noexcept : end_(std::move(end)) {}

  std::size_t frame_size() const override { return pipe_atomic_size; }
  Result<void> put(Bytes frame, Deadline deadline) override;
  Result<void> wait_receiver_gone(Deadline deadline) override { return end_.wait_closed(deadline); }
  Capabilities capabilities() const override;

 private:
  WriteEnd end_;
};

class PipeSource final : public FrameSource {
 public:
  explicit PipeSource(ReadEnd end);

  Result<Frame> take(Deadline deadline) override;
  std::size_t pending() const override { return unread().size() + end_.buffered().value_or(0); }
  Capabilities capabilities() const override;

 private:
  Bytes unread() const noexcept { return {buffer_.get() + begin_, end_of_data_ - begin_}; }
  Result<void> fill(Deadline deadline);

  ReadEnd end_;
  std::unique_ptr<std::byte[]> buffer_;  // left as it comes: pages that no frame reaches cost nothing
  std::size_t begin_ = 0;
  std::size_t end_of_data_ = 0;
};

}  // namespace tenon
