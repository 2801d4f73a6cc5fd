#include <stream/row.hpp>

#include <tenon/messaging/stream/stream.hpp>
#include <harness/byte_stream.hpp>
#include <harness/payload.hpp>
#include <harness/table.hpp>
#include <limits/ring_subjects.hpp>
#include <limits/run.hpp>
#include <stream/byte_ring.hpp>
#include <topic/start_domain.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace streams {

using harness::size_text;
using limits::Kind;
using limits::Where;
using tenon::MutableBytes;
using tenon::StreamReader;
using tenon::StreamWriter;
using topics::Member;

namespace {

constexpr std::size_t short_message = 64;

// Writes a message where it is made, and then sends a copy of it; short ones without a loop.
template <class End>
struct Sender {
  End end;
  std::vector<std::uint64_t> message;
  std::uint64_t at = 0;
  void step() {
    if (message.size() == short_message / 8) {
      harness::write_words<short_message / 8>(message.data(), at);
    } else {
      harness::write_payload(std::as_writable_bytes(std::span(message)), at);
    }
    end.write(std::as_bytes(std::span(message)));
    ++at;
  }
};
template <class End>
struct Receiver {
  End end;
  std::vector<std::uint64_t> message;
  std::uint64_t at = 0;
  void step() {
    end.read(std::as_writable_bytes(std::span(message)));
    if (message.size() == short_message / 8) {
      harness::check_words<short_message / 8>(message.data(), at);
    } else {
      harness::check_payload(std::as_bytes(std::span(message)), at);
    }
    ++at;
  }
};

struct RingEnd {
  ByteRing ring;
  void write(tenon::Bytes from) { ring.write(from.data(), from.size()); }
  void read(MutableBytes into) { ring.read(into.data(), into.size()); }
};

struct WritingEnd {
  std::shared_ptr<Member> self;
  std::shared_ptr<StreamWriter> writer;
  void write(tenon::Bytes from) { writer->write(from, tenon::never).or_throw(); }
};
struct ReadingEnd {
  std::shared_ptr<Member> self;
  std::shared_ptr<StreamReader> reader;
  void read(MutableBytes into) {
    while (!into.empty()) {
      into = into.subspan(reader->read(into, tenon::never).or_throw());
    }
  }
};

std::uint64_t lap_of(const Traffic& traffic) { return std::max<std::uint64_t>(traffic.capacity / traffic.bytes, 1); }

auto sides_of_ring(const Traffic& traffic) {
  const auto end = [=](MutableBytes shared) { return RingEnd{ByteRing(shared.data(), traffic.capacity)}; };
  const std::vector<std::uint64_t> message(traffic.bytes / 8);
  return limits::RingSides{ByteRing::shared_bytes(traffic.capacity), lap_of(traffic),
                           std::function<void(MutableBytes)>(),
                           [=](MutableBytes shared) { return Sender<RingEnd>{end(shared), message}; },
                           [=](MutableBytes shared) { return Receiver<RingEnd>{end(shared), message}; }};
}

auto sides_of_stream(const Traffic& traffic) {
  const std::vector<std::uint64_t> message(traffic.bytes / 8);
  const auto writer = [=](MutableBytes shared) {
    auto self = std::make_shared<Member>(shared);
    auto opened = StreamWriter::open(self->holder(), "s", {.capacity = traffic.capacity, .waiting = traffic.waiting},
                                     tenon::never);
    return Sender<WritingEnd>{{self, std::make_shared<StreamWriter>(std::move(opened).or_throw())}, message};
  };
  const auto reader = [=](MutableBytes shared) {
    auto self = std::make_shared<Member>(shared);
    auto opened = StreamReader::open(self->holder(), "s", {.waiting = traffic.waiting}, tenon::never);
    return Receiver<ReadingEnd>{{self, std::make_shared<StreamReader>(std::move(opened).or_throw())}, message};
  };
  return limits::RingSides{topics::start_bytes, lap_of(traffic), topics::new_domain, writer, reader};
}

harness::StreamEnds bare_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) == -1) {
    throw tenon::Failure(tenon::os_failure("pipe2", errno));
  }
  return {.reader = tenon::Fd::adopt(ends[0]), .writer = tenon::Fd::adopt(ends[1])};
}

std::string options_text(const Traffic& traffic) {
  return fmt::format("holds {}, {}", size_text(traffic.capacity),
                     traffic.waiting == tenon::Waiting::spin    ? "spin"
                     : traffic.waiting == tenon::Waiting::sleep ? "sleep"
                                                                : "adaptive");
}

topics::Row row(std::string group, std::string name, const Traffic& traffic, harness::Subject limit,
                harness::Subject subject, Kind kind, double ratio) {
  return {.group = std::move(group),
          .name = std::move(name),
          .options = options_text(traffic),
          .limits = {{.family = "stream",
                      .subject = std::move(limit),
                      .where = Where::across_cores,
                      .kind = kind,
                      .payload_bytes = traffic.bytes}},
          .subject = std::move(subject),
          .placement = limits::placement_of(Where::across_cores),
          .kind = kind,
          .aim = {.ratio = ratio}};
}

}  // namespace

topics::Row one_way_beside_ring(const Traffic& traffic) {
  return row("one way, beside a bare ring of bytes", size_text(traffic.bytes) + " one way", traffic,
             limits::one_way("byte ring", sides_of_ring(traffic)), limits::one_way("stream", sides_of_stream(traffic)),
             Kind::one_way, traffic.waiting == tenon::Waiting::sleep ? 0 : 1 / 0.9);
}

topics::Row one_way_beside_pipe(const Traffic& traffic) {
  return row("one way, beside a pipe", size_text(traffic.bytes) + " one way, pipe", traffic,
             harness::one_way(harness::Calls::bare, bare_pipe, traffic.bytes),
             limits::one_way("stream", sides_of_stream(traffic)), Kind::one_way,
             traffic.bytes == short_message ? 0.1 : 0);
}

topics::Row there_and_back_beside_ring(const Traffic& traffic) {
  return row("there and back, beside a bare ring of bytes", size_text(traffic.bytes) + " there and back", traffic,
             limits::there_and_back("byte ring", sides_of_ring(traffic)),
             limits::there_and_back("stream", sides_of_stream(traffic)), Kind::round_trip, 0);
}

std::vector<topics::Row> rows_of(const std::vector<std::size_t>& sizes, tenon::Waiting waiting) {
  std::vector<topics::Row> rows;
  for (const auto& beside : {one_way_beside_ring, one_way_beside_pipe, there_and_back_beside_ring}) {
    for (const std::size_t bytes : sizes) {
      rows.push_back(beside({.bytes = bytes, .waiting = waiting}));
    }
  }
  return rows;
}

}  // namespace streams
