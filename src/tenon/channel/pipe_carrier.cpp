#include <tenon/channel/pipe_carrier.hpp>

#include <cstring>

namespace tenon {

namespace {

// 256 such pipes fit into fs.pipe-user-pages-soft as it is by default.
constexpr std::size_t wished_capacity = 256UL * 1024;

// A whole frame fits behind whatever begins in the first half.
constexpr std::size_t buffer_size = 2 * (Frame::header_size + Frame::most_payload);

Capabilities pipe_capabilities(Result<std::size_t> capacity) {
  return {.pollable = true, .capacity = capacity.value_or(0)};
}

}  // namespace

Result<void> PipeSink::put(Bytes frame, Deadline deadline) {
  auto written = end_.write(frame, deadline);
  if (!written) {
    return fail(std::move(written.error()));
  }
  // Frames are at most pipe_atomic_size long, and such a write is whole or nothing.
  return {};
}

Capabilities PipeSink::capabilities() const { return pipe_capabilities(end_.capacity()); }

PipeSource::PipeSource(ReadEnd end)
    : end_(std::move(end)), buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)) {
  // Fewer changes between sender and receiver; where the user's pipes hold too much already, the usual size serves.
  [[maybe_unused]] const auto wider = end_.set_capacity(wished_capacity);
}

Capabilities PipeSource::capabilities() const { return pipe_capabilities(end_.capacity()); }

Result<void> PipeSource::fill(Deadline deadline) {
  if (begin_ > 0 && buffer_size - end_of_data_ < buffer_size / 2) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_of_data_ - begin_);
    end_of_data_ -= std::exchange(begin_, 0);
  }
  auto got = end_.read({buffer_.get() + end_of_data_, buffer_size - end_of_data_}, deadline);
  if (!got) {
    return fail(std::move(got.error()));
  }
  if (*got == 0) {
    return unread().empty() ? fail(Errc::closed, "read")
                            : fail(Error(Errc::corrupt, "read").because("the stream ends inside a frame"));
  }
  end_of_data_ += *got;
  return {};
}

Result<Frame> PipeSource::take(Deadline deadline) {
  if (begin_ == end_of_data_) {
    begin_ = end_of_data_ = 0;
  }
  std::size_t needed = Frame::header_size;
  while (true) {
    if (unread().size() >= Frame::header_size) {
      auto size = Frame::size_of(unread());
      if (!size) {
        return fail(std::move(size.error()));
      }
      needed = *size;
    }
    if (unread().size() >= needed) {
      const Bytes whole = unread().first(needed);
      begin_ += needed;
      return Frame::decode(whole);
    }
    if (auto filled = fill(deadline); !filled) {
      return fail(std::move(filled.error()));
    }
  }
}

}  // namespace tenon
