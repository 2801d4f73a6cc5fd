#include <tenon/messaging/stream/stream_writer_port.hpp>

#include <algorithm>
#include <bit>

namespace tenon {

namespace {

// Of a long write the reader copies one piece while the writer copies the next.
constexpr std::uint64_t longest_piece = 64 << 10;

Result<std::uint64_t> capacity_of(const StreamWriterOptions& options) {
  if (options.capacity == 0) {
    return fail(Error(Errc::invalid_argument, "StreamWriter::open").because("a stream holds at least one byte"));
  }
  if (options.capacity > most_stream_bytes) {
    return fail(Error(Errc::limit_reached, "StreamWriter::open")
                    .with({.name = "bytes of a stream",
                           .value = most_stream_bytes,
                           .wanted = options.capacity,
                           .remedy = "ask for less: it is what is on its way, not what goes through"}));
  }
  return std::bit_ceil(options.capacity);
}

}  // namespace

Result<std::unique_ptr<StreamWriterPort>> StreamWriterPort::open(const Holder& holder, std::string_view name,
                                                                 const StreamWriterOptions& options,
                                                                 Deadline deadline) {
  return capacity_of(options).and_then([&](std::uint64_t capacity) {
    return open(holder, name, StreamShape{.capacity = capacity}, options.waiting, deadline);
  });
}

Result<std::unique_ptr<StreamWriterPort>> StreamWriterPort::open(const Holder& holder, std::string_view name,
                                                                 const StreamShape& shape, Waiting waiting,
                                                                 Deadline deadline) {
  return StreamMeeting::meet(holder, name, StreamRole::writer, shape, deadline)
      .transform([&](StreamMeeting::Pair pair) {
        return std::unique_ptr<StreamWriterPort>(new StreamWriterPort(holder, name, std::move(pair), waiting));
      });
}

StreamWriterPort::StreamWriterPort(const Holder& holder, std::string_view name, StreamMeeting::Pair pair,
                                   Waiting waiting)
    : StreamEnd(holder, name, std::move(pair), waiting),
      producer_(own_.state().index, other_.state().index, own_.bytes(), own_.header().first),
      piece_(std::clamp<std::uint64_t>(producer_.capacity() / 4, 1, longest_piece)),
      at_once_(piece_),
      enough_(std::max<std::uint64_t>(producer_.capacity() / 8, 1)) {}

// Whether it may go on, and how much room there is.
Result<void> StreamWriterPort::look_for_room() {
  if (auto usable = check_usable(); !usable) {
    return usable;
  }
  if (!producer_.look()) {
    return fail(lie());
  }
  return look_for_reader();
}

// From when it is gone on each call says so, also where there is room.
Result<void> StreamWriterPort::look_for_reader() {
  if (other_is_gone() == Gone::no) {
    return {};
  }
  at_once_ = 0;
  return fail(end_of(gone_, "Stream::write"));
}

// Rings who sleeps for what was sent, and says whether anybody will read it.
Result<void> StreamWriterPort::after_put() {
  if (!is_left_alone()) {
    answer(producer_.at());
    return look_for_reader();
  }
  return {};
}

// At least one byte, if `from` has any. Outcomes: would_block, closed, peer_died.
Result<std::size_t> StreamWriterPort::put_what_fits(Bytes from, bool may_wait) {
  if (auto looked = look_for_room(); !looked) {
    return fail(std::move(looked.error()));
  }
  if (may_wait) {
    gather_room();
  }
  const std::uint64_t count = std::min<std::uint64_t>({from.size(), producer_.room(), piece_});
  if (count == 0 && !from.empty()) {
    return fail(Errc::would_block, "Stream::write");
  }
  producer_.put(from.first(count));
  return after_put().transform([&] { return static_cast<std::size_t>(count); });
}

Result<std::size_t> StreamWriterPort::write(Bytes from, Deadline deadline) {
  if (std::exchange(is_put_, false)) {
    return after_put().transform([&] { return from.size(); });
  }
  std::size_t done = 0;
  while (true) {
    auto put = put_what_fits(from.subspan(done), true);
    done += put ? *put : 0;
    if (put && done == from.size()) {
      return done;
    }
    if (put.failed_with(Errc::would_block)) {
      if (auto waited = await_room(from.size() - done, deadline); !waited) {
        put = fail(std::move(waited.error()));
      } else {
        continue;
      }
    }
    if (!put) {
      return done == 0 ? std::move(put) : Result<std::size_t>(done);  // the next call tells what
    }
  }
}

Result<std::size_t> StreamWriterPort::try_write(Bytes from) {
  if (std::exchange(is_put_, false)) {
    return after_put().transform([&] { return from.size(); });
  }
  std::size_t done = 0;
  while (true) {
    auto put = put_what_fits(from.subspan(done), false);
    done += put ? *put : 0;
    if (put && done < from.size()) {
      continue;
    }
    if (put.failed_with(Errc::would_block) && done == 0) {
      const auto is_there = [this] { return !producer_.look() || producer_.room() != 0 || gone_ != Gone::no; };
      if (!listens_in_vain(is_there, wake_at(from.size()))) {
        continue;
      }
    }
    return done == 0 ? std::move(put) : Result<std::size_t>(done);
  }
}

Result<std::size_t> StreamWriterPort::write_gathered(std::span<const Bytes> pieces, Deadline deadline) {
  std::size_t done = 0;
  for (const Bytes piece : pieces) {
    auto written = write(piece, deadline);
    if (!written) {
      return done == 0 ? std::move(written) : Result<std::size_t>(done);
    }
    done += *written;
    if (*written != piece.size()) {
      break;
    }
  }
  return done;
}

// Who sleeps is woken once for many bytes: one wake for each short read would cost both sides more than the bytes. A
// reader that stops before so much is free, and is not itself out of bytes, is noticed at the recheck.
std::uint64_t StreamWriterPort::wake_at(std::uint64_t wanted) const noexcept {
  const std::uint64_t room =
      std::clamp(wanted, std::max<std::uint64_t>(capacity() / 4, 1), std::max<std::uint64_t>(capacity() / 2, 1));
  return producer_.at() + room - capacity();
}

Result<void> StreamWriterPort::await_room(std::uint64_t wanted, Deadline deadline) {
  const auto is_there = [this] { return !producer_.look() || producer_.room() != 0 || is_gone_at_sight(); };
  return wait(is_there, wake_at(wanted), deadline);
}

// A reader that has begun to read goes on: each look takes its count's line away from it, so it is looked at seldom
// until some bytes are free, or no more come.
void StreamWriterPort::gather_room() noexcept {
  constexpr int pauses_between = 8;
  std::uint64_t before = 0;
  while (before < producer_.room() && producer_.room() < enough_) {
    before = producer_.room();
    for (int pause = 0; pause < pauses_between; ++pause) {
      pause_processor();
    }
    if (!producer_.look()) {
      return;  // the next look says so
    }
  }
}

Result<StreamRuns<std::byte>> StreamWriterPort::try_loan(std::size_t wanted) {
  if (wanted == 0) {
    return fail(Error(Errc::invalid_argument, "Stream::loan").because("nothing is asked for"));
  }
  if (producer_.room() < wanted || gone_ != Gone::no || !is_of_this_process()) {
    if (auto looked = look_for_room(); !looked) {
      return fail(std::move(looked.error()));
    }
  }
  const auto runs = producer_.writable(wanted);
  return runs.size() == 0 ? Result<StreamRuns<std::byte>>(fail(Errc::would_block, "Stream::loan")) : runs;
}

Result<StreamRuns<std::byte>> StreamWriterPort::loan(std::size_t wanted, Deadline deadline) {
  while (true) {
    auto runs = try_loan(wanted);
    if (!runs.failed_with(Errc::would_block)) {
      return runs;
    }
    if (auto waited = await_room(wanted, deadline); !waited) {
      return fail(std::move(waited.error()));
    }
  }
}

Result<void> StreamWriterPort::commit(std::size_t count) {
  if (auto usable = check_usable(); !usable) {
    return usable;
  }
  expects(count <= producer_.room(), "what is committed was lent");
  producer_.publish(count);
  return after_put();
}

Error StreamWriterPort::wait_closed(Deadline deadline) {
  if (auto usable = check_usable(); !usable) {
    return std::move(usable.error());
  }
  const auto is_there = [this] { return is_gone_at_sight(); };
  other_is_gone(true);
  if (!is_there()) {
    if (auto waited = wait(is_there, producer_.at() + 1, deadline); !waited) {
      return std::move(waited.error());
    }
  }
  return std::move(look_for_reader().error());
}

std::size_t StreamWriterPort::buffered() const noexcept {
  const std::uint64_t tail = other_.state().index.load(std::memory_order_relaxed);  // for people
  return std::min(producer_.at() - tail, producer_.capacity());
}

}  // namespace tenon
