#include <harness/byte_stream.hpp>

#include <tenon/os/read_end.hpp>
#include <tenon/os/write_end.hpp>
#include <harness/compare.hpp>
#include <harness/environment.hpp>
#include <harness/payload.hpp>
#include <harness/probe.hpp>
#include <harness/table.hpp>
#include <harness/undisturbed.hpp>

#include <array>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <stdexcept>
#include <unistd.h>

namespace harness {

using tenon::Bytes;
using tenon::Fd;
using tenon::MutableBytes;

namespace {

struct BareEnds {
  explicit BareEnds(StreamEnds ends) : reader(std::move(ends.reader)), writer(std::move(ends.writer)) {}
  void write(Bytes payload) const {
    if (::write(writer.raw(), payload.data(), payload.size()) != static_cast<ssize_t>(payload.size())) {
      throw std::runtime_error("a write was not whole");
    }
  }
  std::size_t read(MutableBytes payload) const {
    const ssize_t got = ::read(reader.raw(), payload.data(), payload.size());
    if (got <= 0) {
      throw std::runtime_error("a read failed");
    }
    return static_cast<std::size_t>(got);
  }
  Fd reader;
  Fd writer;
};

struct WrappedEnds {
  explicit WrappedEnds(StreamEnds ends)
      : reader(tenon::ReadEnd::adopt(std::move(ends.reader))), writer(tenon::WriteEnd::adopt(std::move(ends.writer))) {}
  void write(Bytes payload) {
    if (writer.write(payload, tenon::never).or_throw() != payload.size()) {
      throw std::runtime_error("a write was not whole");
    }
  }
  std::size_t read(MutableBytes payload) {
    const std::size_t got = reader.read(payload, tenon::never).or_throw();
    if (got == 0) {
      throw std::runtime_error("a stream ended");
    }
    return got;
  }
  tenon::ReadEnd reader;
  tenon::WriteEnd writer;
};

// A payload, and the number of the next message to put into it or to find there.
class Message {
 public:
  explicit Message(std::size_t bytes) : payload_(bytes) {}
  template <class Ends>
  void write_to(Ends& ends) {
    write_payload(payload_, next_++);
    ends.write(payload_);
  }
  template <class Ends>
  void read_from(Ends& ends) {
    for (std::size_t got = 0; got < payload_.size();) {
      got += ends.read(MutableBytes(payload_).subspan(got));
    }
    check_payload(payload_, next_++);
  }

 private:
  std::vector<std::byte> payload_;
  std::uint64_t next_ = 0;
};

// Streams that are opened at each start, before the sides are forked, and inherited by them.
template <class Ends>
class Streams {
 public:
  Streams(const OpenStream& open, std::size_t count)
      : open_(open), ends_(std::make_shared<std::vector<Ends>>()), count_(count) {}
  void operator()(MutableBytes) const {
    ends_->clear();
    for (std::size_t i = 0; i < count_; ++i) {
      ends_->emplace_back(open_());
    }
  }
  Ends& operator[](std::size_t index) const { return (*ends_)[index]; }

 private:
  OpenStream open_;
  std::shared_ptr<std::vector<Ends>> ends_;
  std::size_t count_;
};

// A side that does `operation(written, read)` again and again, with messages of its own.
template <class Operation>
Side side(const std::string& name, std::size_t payload_bytes, const Operation& operation) {
  return {.name = name, .start = [=](MutableBytes) -> Loop {
            auto sent = std::make_shared<Message>(payload_bytes);
            auto got = std::make_shared<Message>(payload_bytes);
            return [=](Round& round) {
              for (std::uint64_t i = 0; i < round.operations(); ++i) {
                operation(*sent, *got);
                round.mark();
              }
            };
          }};
}

template <class Ends>
Subject one_process(const OpenStream& open, std::size_t bytes) {
  const Streams<Ends> streams(open, 1);
  const auto operation = [=](Message& sent, Message& got) {
    sent.write_to(streams[0]);
    got.read_from(streams[0]);
  };
  return {.name = "by one process", .sides = {side("writer and reader", bytes, operation)}, .prepare = streams};
}

template <class Ends>
Subject two_processes(const OpenStream& open, std::size_t bytes) {
  const Streams<Ends> streams(open, 2);
  const auto asker = [=](Message& sent, Message& got) {
    sent.write_to(streams[0]);
    got.read_from(streams[1]);
  };
  const auto answerer = [=](Message& sent, Message& got) {
    got.read_from(streams[0]);
    sent.write_to(streams[1]);
  };
  return {.name = "there and back",
          .sides = {side("asker", bytes, asker), side("answerer", bytes, answerer)},
          .prepare = streams};
}

template <class Ends>
Subject to_another_process(const OpenStream& open, std::size_t bytes) {
  const Streams<Ends> streams(open, 1);
  const auto writer = [=](Message& sent, Message&) { sent.write_to(streams[0]); };
  const auto reader = [=](Message&, Message& got) { got.read_from(streams[0]); };
  return {.name = "one way",
          .sides = {side("writer", bytes, writer), side("reader", bytes, reader)},
          .timed_side = 1,
          .prepare = streams};
}

tenon::Result<Placement> placement_of(StreamPair::Where where) {
  switch (where) {
    case StreamPair::Where::alone:
      return alone();
    case StreamPair::Where::one_core:
      return one_core(2);
    case StreamPair::Where::across_cores:
      break;
  }
  return across_cores(2);
}

// The pair's row; between two probes where there are two cores to probe.
tenon::Result<std::vector<std::string>> row_of(const StreamPair& pair, const Clock& clock, Probe* probe) {
  auto placement = placement_of(pair.where);
  if (!placement) {
    return tenon::fail(std::move(placement.error()));
  }
  PairedFigure figure;
  const auto distance = [&]() -> tenon::Result<double> {
    return probe == nullptr ? tenon::Result<double>(0.0) : probe->measure(tenon::after(std::chrono::seconds(20)));
  };
  const auto cell = [&]() -> tenon::Result<void> {
    auto compared = compare(pair.bare, pair.wrapped, *placement, clock);
    if (!compared) {
      return tenon::fail(std::move(compared.error()));
    }
    figure = *compared;
    return {};
  };
  auto attempts = undisturbed(distance, cell);
  if (!attempts) {
    return tenon::fail(std::move(attempts.error()));
  }
  return std::vector<std::string>{
      pair.name,
      placement->name,
      duration_text(figure.limit.nanoseconds),
      duration_text(figure.subject.nanoseconds),
      fmt::format("{:.3f}", figure.ratio.median),
      fmt::format("{:.3f}–{:.3f}", figure.ratio.low, figure.ratio.high),
      std::string(name_of(distance_of(attempts->after))) + (attempts->disturbed ? ", disturbed" : "")};
}

}  // namespace

Subject by_one_process(Calls calls, const OpenStream& open, std::size_t payload_bytes) {
  return calls == Calls::bare ? one_process<BareEnds>(open, payload_bytes)
                              : one_process<WrappedEnds>(open, payload_bytes);
}

Subject there_and_back(Calls calls, const OpenStream& open, std::size_t payload_bytes) {
  return calls == Calls::bare ? two_processes<BareEnds>(open, payload_bytes)
                              : two_processes<WrappedEnds>(open, payload_bytes);
}

Subject one_way(Calls calls, const OpenStream& open, std::size_t payload_bytes) {
  return calls == Calls::bare ? to_another_process<BareEnds>(open, payload_bytes)
                              : to_another_process<WrappedEnds>(open, payload_bytes);
}

Subject done_by_one_process(const std::string& name, const std::function<void()>& operation) {
  return {.name = name, .sides = {side(name, 0, [=](Message&, Message&) { operation(); })}};
}

Subject done_by_two_processes(const std::string& name, const std::function<void()>& prepare,
                              const std::function<void()>& first, const std::function<void()>& second) {
  return {.name = name,
          .sides = {side("first", 0, [=](Message&, Message&) { first(); }),
                    side("second", 0, [=](Message&, Message&) { second(); })},
          .prepare = [=](MutableBytes) { prepare(); }};
}

std::vector<StreamPair> stream_pairs(const OpenStream& open) {
  using enum StreamPair::Where;
  const auto both = [&](const std::string& name, auto subject, std::size_t bytes, StreamPair::Where where) {
    return StreamPair{.name = size_text(bytes) + " " + name,
                      .bare = subject(Calls::bare, open, bytes),
                      .wrapped = subject(Calls::wrapped, open, bytes),
                      .where = where};
  };
  std::vector<StreamPair> pairs = {both("written and read", by_one_process, 64, alone),
                                   both("written and read", by_one_process, 4096, alone)};
  for (const auto where : {one_core, across_cores}) {
    pairs.push_back(both("there and back", there_and_back, 64, where));
    for (const std::size_t bytes : {std::size_t{64}, std::size_t{4096}, std::size_t{65536}}) {
      pairs.push_back(both("one way", one_way, bytes, where));
    }
  }
  return pairs;
}

int print_paired(const std::string& title, const std::vector<StreamPair>& pairs) {
  const Clock clock = Clock::calibrate();
  std::printf("%s", description(environment(clock)).c_str());
  auto probe = Probe::start(clock, tenon::after(std::chrono::seconds(20)));
  Table table({{title, Table::Side::left},
               {"", Table::Side::left},
               {"bare"},
               {"wrapped"},
               {"ratio"},
               {"quartiles"},
               {"cores", Table::Side::left}});
  int code = 0;
  for (const StreamPair& pair : pairs) {
    auto row = row_of(pair, clock, probe ? &*probe : nullptr);
    if (row) {
      table.add(std::move(*row));
    } else {
      table.add_heading(pair.name + ": not measured: " + row.error().message());
      code = row.failed_with(tenon::Errc::not_supported) ? code : 1;
    }
  }
  std::printf("%s", table.text().c_str());
  return code;
}

}  // namespace harness
