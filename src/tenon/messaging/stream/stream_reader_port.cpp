#include <tenon/messaging/stream/stream_reader_port.hpp>

#include <utility>

namespace tenon {

namespace {

// Of a long read the writer fills one piece while the reader copies the next.
constexpr std::uint64_t longest_piece = 64 << 10;

}  // namespace

Result<std::unique_ptr<StreamReaderPort>> StreamReaderPort::open(const Holder& holder, std::string_view name,
                                                                 const StreamReaderOptions& options, Deadline deadline,
                                                                 std::uint32_t first_bell) {
  return StreamMeeting::meet(holder, name, StreamRole::reader, StreamShape{.first_bell = first_bell}, deadline)
      .transform([&](StreamMeeting::Pair pair) {
        return std::unique_ptr<StreamReaderPort>(new StreamReaderPort(holder, name, std::move(pair), options.waiting));
      });
}

StreamReaderPort::StreamReaderPort(const Holder& holder, std::string_view name, StreamMeeting::Pair pair,
                                   Waiting waiting)
    : StreamEnd(holder, name, std::move(pair), waiting),
      consumer_(other_.state().index, own_.state().index, other_.bytes(), other_.header().first),
      piece_(std::clamp<std::uint64_t>(consumer_.capacity() / 4, 1, longest_piece)) {}

// How many bytes are there, if they are `least`; fewer, also 0, only before the end. Outcomes: would_block; peer_died,
// once there are none left.
Result<std::uint64_t> StreamReaderPort::look_for(std::uint64_t least) {
  if (auto usable = check_usable(); !usable) {
    return fail(std::move(usable.error()));
  }
  for (bool was_gone = false;; was_gone = true) {
    if (!consumer_.look()) {
      return fail(lie());
    }
    if (consumer_.available() >= least) {
      return consumer_.available();
    }
    // Gone before this look: what it did not find was never written.
    if (was_gone) {
      const bool tells = gone_ == Gone::died && consumer_.available() == 0;
      return tells ? Result<std::uint64_t>(fail(end_of(gone_, "Stream::read"))) : consumer_.available();
    }
    if (other_is_gone() == Gone::no) {
      return fail(Errc::would_block, "Stream::read");
    }
  }
}

Result<std::uint64_t> StreamReaderPort::look_and_listen(std::uint64_t least) {
  auto found = look_for(least);
  if (found.failed_with(Errc::would_block)) {
    const auto is_there = [&] { return !consumer_.look() || consumer_.available() >= least || gone_ != Gone::no; };
    if (!listens_in_vain(is_there, consumer_.at() + least)) {
      found = look_for(least);
    }
  }
  return found;
}

Result<std::uint64_t> StreamReaderPort::await(std::uint64_t least, Deadline deadline) {
  while (true) {
    auto found = look_for(least);
    if (!found.failed_with(Errc::would_block)) {
      return found;
    }
    const auto is_there = [&] { return !consumer_.look() || consumer_.available() >= least || is_gone_at_sight(); };
    if (auto waited = wait(is_there, consumer_.at() + least, deadline); !waited) {
      return fail(std::move(waited.error()));
    }
  }
}

// In pieces, and also what comes meanwhile.
std::size_t StreamReaderPort::take_all(MutableBytes into) {
  std::size_t done = 0;
  while (done < into.size()) {
    if (consumer_.available() == 0 && (!consumer_.look() || consumer_.available() == 0)) {
      break;  // a lie is told by the next call
    }
    const std::uint64_t count = std::min<std::uint64_t>({into.size() - done, consumer_.available(), piece_});
    consumer_.take(into.subspan(done, count));
    tell(consumer_.at());
    done += count;
  }
  return done;
}

Result<std::size_t> StreamReaderPort::read(MutableBytes into, Deadline deadline) {
  if (into.empty()) {
    return fail(Error(Errc::invalid_argument, "Stream::read").because("0 would be no answer"));
  }
  return await(1, deadline).transform([&](std::uint64_t) { return take_all(into); });
}

Result<std::size_t> StreamReaderPort::try_read(MutableBytes into) {
  if (into.empty()) {
    return fail(Error(Errc::invalid_argument, "Stream::read").because("0 would be no answer"));
  }
  return look_and_listen(1).transform([&](std::uint64_t) { return take_all(into); });
}

Result<StreamRuns<const std::byte>> StreamReaderPort::peek(std::size_t least, Deadline deadline) {
  const std::uint64_t wanted = std::clamp<std::uint64_t>(least, 1, capacity());
  return await(wanted, deadline).transform([&](std::uint64_t found) { return consumer_.readable(found); });
}

Result<StreamRuns<const std::byte>> StreamReaderPort::try_peek(std::size_t least) {
  const std::uint64_t wanted = std::clamp<std::uint64_t>(least, 1, capacity());
  return look_and_listen(wanted).transform([&](std::uint64_t found) { return consumer_.readable(found); });
}

Result<StreamRuns<const std::byte>> StreamReaderPort::try_receive() {
  if (end_was_told_) {
    silence();  // else who serves it would be called at once, again and again
    return fail(Errc::would_block, "Stream::receive");
  }
  auto runs = try_peek(1);
  if (runs && runs->size() == 0) {
    runs = fail(Errc::closed, "Stream::receive");
  }
  end_was_told_ =
      runs.failed_with(Errc::closed) || runs.failed_with(Errc::peer_died) || runs.failed_with(Errc::corrupt);
  return runs;
}

Result<void> StreamReaderPort::consume(std::size_t count) {
  if (auto usable = check_usable(); !usable) {
    return usable;
  }
  expects(count <= consumer_.available(), "what is consumed was seen");
  consumer_.consume(count);
  tell(consumer_.at());
  return {};
}

}  // namespace tenon
