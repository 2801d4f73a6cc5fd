#include <tenon/channel/stream_carrier.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/poll.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>

namespace tenon {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t buffer_bytes = 4 * StreamSink::frame_bytes;
constexpr auto between_looks = milliseconds(20);  // for senders that are new
constexpr auto shortest_idle = milliseconds(1);   // while there are none
constexpr int quick_looks = 50;
constexpr auto meeting_patience = milliseconds(500);  // the sender is there and waits, unless it was stopped

constexpr std::size_t token_digits = 16;

bool is_token(std::string_view text) {
  return text.size() == token_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Capabilities capabilities_of_stream(std::size_t capacity) { return {.pollable = true, .capacity = capacity}; }

}  // namespace

std::string new_stream_name(const std::string& channel) { return channel + "." + Token::random().hex(); }

Result<std::vector<std::string>> streams_of(const Domain& domain, const std::string& channel, StreamRole role) {
  const std::unique_ptr<DIR, void (*)(DIR*)> open(::opendir(domain.path().c_str()),
                                                  [](DIR* opened) { ::closedir(opened); });
  if (open == nullptr) {
    return fail(os_failure("opendir", errno).on(domain.path()));
  }
  const std::string prefix = std::string(stream_prefix(role)) + channel + ".";
  std::vector<std::string> streams;
  for (const dirent* entry = ::readdir(open.get()); entry != nullptr; entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(prefix) && is_token(name.substr(prefix.size()))) {
      streams.emplace_back(name.substr(stream_prefix(role).size()));
    }
  }
  return streams;
}

Result<void> StreamSink::send_rest(Deadline deadline) {
  while (!rest_.empty()) {
    auto sent = stream_.write(rest_, deadline);
    if (!sent) {
      return fail(std::move(sent.error()));
    }
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(*sent));
  }
  return {};
}

// A reader that has gone may have taken this very frame before, the last one that it waited for: the first write that
// says so counts as sent, as into a pipe, and the next one is refused. How it went, its sender asks those who know it.
Result<void> StreamSink::put(Bytes frame, Deadline deadline) {
  auto gone = receiver_gone_ ? fail(Errc::closed, "send") : send_rest(deadline);
  if (!gone) {
    return gone.failed_with(Errc::peer_died) ? fail(Errc::closed, "send") : gone;
  }
  auto sent = stream_.write(frame, deadline);
  receiver_gone_ = sent.failed_with(Errc::closed) || sent.failed_with(Errc::peer_died);
  if (!sent) {
    return receiver_gone_ ? Result<void>() : fail(std::move(sent.error()));
  }
  rest_.assign(frame.begin() + static_cast<std::ptrdiff_t>(*sent), frame.end());
  return {};
}

Result<void> StreamSink::wait_receiver_gone(Deadline deadline) {
  auto gone = send_rest(deadline);
  const Error end = gone ? stream_.wait_closed(deadline) : std::move(gone.error());
  return end == Errc::closed || end == Errc::peer_died ? Result<void>() : fail(Error(end));
}

Capabilities StreamSink::capabilities() const { return capabilities_of_stream(stream_.capacity()); }

StreamOfSender::StreamOfSender(StreamReader stream)
    : stream_(std::move(stream)), buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_bytes)) {}

// A frame fits behind whatever begins in the first half.
MutableBytes StreamOfSender::room() noexcept {
  if (begin_ == end_of_data_) {
    begin_ = end_of_data_ = 0;
  } else if (begin_ >= buffer_bytes / 2) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_of_data_ - begin_);
    end_of_data_ -= std::exchange(begin_, 0);
  }
  return {buffer_.get() + end_of_data_, buffer_bytes - end_of_data_};
}

Result<void> StreamOfSender::took(Result<std::size_t> got) {
  if (got.failed_with(Errc::peer_died) || (got && *got == 0)) {
    end_ = got ? End::closed : End::died;
    return {};
  }
  end_of_data_ += got.value_or(0);
  return got ? Result<void>() : fail(std::move(got.error()));
}

Result<void> StreamOfSender::fill(Deadline deadline) {
  const MutableBytes into = room();
  return into.empty() || has_ended() ? Result<void>() : took(stream_.read(into, deadline));
}

Result<void> StreamOfSender::try_fill() {
  const MutableBytes into = room();
  return into.empty() || has_ended() ? fail(Errc::would_block) : took(stream_.try_read(into));
}

Result<std::optional<Frame>> StreamOfSender::next() {
  if (unread().size() >= Frame::header_size) {
    const auto size = Frame::size_of(unread());
    if (!size || *size > StreamSink::frame_bytes) {
      return fail(size ? Error(Errc::corrupt, "receive").because("a frame is longer than any that a stream carries")
                       : Error(size.error()));
    }
    if (unread().size() >= *size) {
      const Bytes whole = unread().first(*size);
      begin_ += *size;
      return Frame::decode(whole).transform([](const Frame& frame) { return std::optional(frame); });
    }
  }
  return end_ == End::closed && !unread().empty()
             ? Result<std::optional<Frame>>(
                   fail(Error(Errc::corrupt, "receive").because("the stream ends inside a frame")))
             : std::nullopt;
}

std::size_t StreamOfSender::pending() {
  while (try_fill() && !has_ended()) {
  }
  std::size_t whole = 0;
  for (Bytes rest = unread(); rest.size() >= Frame::header_size;) {
    const auto size = Frame::size_of(rest);
    if (!size) {
      return whole + rest.size();  // whoever takes it is told
    }
    if (*size > rest.size()) {
      break;
    }
    whole += *size;
    rest = rest.subspan(*size);
  }
  return whole;
}

// Whoever makes a stream waits for its reader. One that was killed meanwhile, or has given up, is none.
Result<void> StreamSource::admit() {
  auto names = streams_of(*member_.domain, channel_, StreamRole::writer);
  if (!names) {
    return fail(std::move(names.error()));
  }
  for (const std::string& name : *names) {
    if (streams_.size() == most_streams) {
      return {};
    }
    if (!met_.insert(name).second) {
      continue;
    }
    auto stream = StreamReader::open(member_.holder, name, after(meeting_patience));
    if (stream) {
      streams_.emplace_back(std::move(*stream));
    } else if (!stream.failed_with(Errc::timed_out) && !stream.failed_with(Errc::not_found)) {
      return fail(std::move(stream.error()));
    }
  }
  return {};
}

Result<std::optional<Frame>> StreamSource::next_whole() {
  for (std::size_t turns = streams_.size(); turns > 0; --turns) {
    auto frame = streams_.front().next();
    if (!frame || *frame) {
      return frame;
    }
    if (!streams_.front().has_ended()) {
      streams_.push_back(std::move(streams_.front()));
    }
    streams_.pop_front();
  }
  return std::nullopt;
}

// While there is nobody it looks often at first.
Result<void> StreamSource::await_first(Deadline deadline) {
  next_look_ = immediately;
  const auto pause = idle_looks_++ < quick_looks ? shortest_idle : between_looks;
  auto slept = sleep_until(deadline.or_sooner(after(pause)));
  return slept.failed_with(Errc::timed_out) && !deadline.passed() ? Result<void>() : slept;
}

// Whether anything came, or ended.
Result<bool> StreamSource::take_from_all() {
  bool came = false;
  for (StreamOfSender& one : streams_) {
    auto filled = one.try_fill();
    if (!filled && !filled.failed_with(Errc::would_block)) {
      return fail(std::move(filled.error()));
    }
    came = came || filled;
  }
  return came;
}

Result<void> StreamSource::await_any(Deadline deadline) {
  if (streams_.empty()) {
    return await_first(deadline);
  }
  idle_looks_ = 0;
  const Deadline soon = deadline.or_sooner(next_look_);
  auto waited = Result<void>();
  if (streams_.size() == 1) {
    waited = streams_.front().fill(soon);
  } else {
    auto came = take_from_all();
    if (!came || *came) {
      return came ? Result<void>() : fail(std::move(came.error()));
    }
    std::vector<PollItem> items;
    for (StreamOfSender& one : streams_) {
      auto fd = one.fd();
      if (!fd) {
        return fail(std::move(fd.error()));
      }
      items.push_back({.fd = *fd});
    }
    waited = wait_any(items, soon);
  }
  return waited.failed_with(Errc::timed_out) && !deadline.passed() ? Result<void>() : waited;
}

Result<Frame> StreamSource::take(Deadline deadline) {
  while (true) {
    if (next_look_.passed()) {
      if (auto admitted = admit(); !admitted) {
        return fail(std::move(admitted.error()));
      }
      next_look_ = after(between_looks);
    }
    auto frame = next_whole();
    if (!frame || *frame) {
      return frame ? Result<Frame>(**frame) : fail(std::move(frame.error()));
    }
    if (auto waited = await_any(deadline); !waited) {
      return fail(std::move(waited.error()));
    }
  }
}

std::size_t StreamSource::pending() const {
  std::size_t bytes = 0;
  for (StreamOfSender& one : streams_) {
    bytes += one.pending();
  }
  return bytes;
}

Capabilities StreamSource::capabilities() const { return capabilities_of_stream(StreamWriterOptions().capacity); }

}  // namespace tenon
