// A process is killed while it writes to a stream, reads, opens an end, closes it, or takes away what a dead one left.
// A bystander at the other end gets the first of the bytes that were written, whole and in order, all that write()
// returned among them, and is told of the death; nothing is left. The control stores the count before the bytes.
#include "../cases.hpp"
#include "../topic_trial.hpp"

#include <kit/counted.hpp>
#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <tenon/messaging/stream/stream.hpp>

#include <array>
#include <csignal>
#include <optional>
#include <thread>

namespace kill_cases {

namespace {

using tenon::after;
using tenon::Bytes;
using tenon::Errc;
using tenon::immediately;
using tenon::never;
using tenon::StreamReader;
using tenon::StreamWriter;

constexpr tenon::StreamWriterOptions ring_of_64{.capacity = 64};
constexpr std::size_t written_before = 60;
constexpr std::size_t written_then = 20;  // round the ring's end

class StreamTrial : public TopicTrial {
 protected:
  /// Reads to the end; returns how much came after the first `from` bytes, and how it ended.
  static std::pair<std::uint64_t, Errc> drain(StreamReader& reader, std::uint64_t from) {
    std::array<std::byte, 7> into{};
    for (std::uint64_t got = from;;) {
      const auto read = reader.read(into, never);
      if (!read || *read == 0) {
        return {got, read ? Errc::closed : read.error().code()};
      }
      must(kit::is_counted(Bytes(into).first(*read), got), "a byte is another than was written");
      got += *read;
    }
  }
  /// Both ends anew, in one process; and nothing is left of it.
  void open_again() {
    std::optional<StreamWriter> writer;
    std::thread opener([&] { writer.emplace(StreamWriter::open(holder(), "s", ring_of_64, never).or_throw()); });
    auto reader = StreamReader::open(holder(), "s", never).or_throw();
    opener.join();
    must(writer->write(kit::counted(written_before), never).or_throw() == written_before,
         "a new stream does not write");
    std::move(*writer).close().or_throw();
    const auto [got, how] = drain(reader, 0);
    must(got == written_before && how == Errc::closed, "a new stream does not read");
  }
};

/// The victim writes; the bystander reads, and polls if it is to be rung. Who closes may die before or after that.
enum class Reads : std::uint8_t { plainly, polling, to_the_close };
class Write : public StreamTrial {
 public:
  explicit Write(Reads reads = Reads::plainly) {
    start_bystander([this, reads] {
      say_ready();
      auto reader = StreamReader::open(holder(), "s", never).or_throw();
      std::array<std::byte, written_before> into{};
      answer_once_joined([&] {
        must(reader.read(into, never).or_throw() == written_before, "what was written is not there");
        if (reads == Reads::polling) {
          static_cast<void>(reader.fd().or_throw());
          must(reader.try_read(into).failed_with(Errc::would_block), "bytes came from nowhere");
        }
      });
      wait_until_killed();
      const auto [got, how] = drain(reader, written_before);
      must(got <= written_before + written_then, "more came than was written");
      must(how == Errc::peer_died || (how == Errc::closed && reads == Reads::to_the_close), "its death was not told");
      std::move(reader).close().or_throw();
      open_again();
    });
  }
  void before() override {
    TopicTrial::before();
    writer_.emplace(StreamWriter::open(holder(), "s", ring_of_64, never).or_throw());
    writer_->write(kit::counted(written_before), never).or_throw();
    say_joined();
  }
  void operation() override { must(writer_->write(bytes_, never).or_throw() == written_then, "not all was written"); }

 protected:
  std::optional<StreamWriter> writer_;
  std::vector<std::byte> bytes_ = kit::counted(written_then, written_before);
};
class WriteToWhoPolls : public Write {
 public:
  WriteToWhoPolls() : Write(Reads::polling) {}
};
class WriteInPlace : public Write {
 public:
  void operation() override {
    const auto runs = writer_->loan(written_then, never).or_throw();
    std::ranges::copy(Bytes(bytes_).first(runs.first.size()), runs.first.begin());
    std::ranges::copy(Bytes(bytes_).subspan(runs.first.size()), runs.second.begin());
    writer_->commit(runs.size()).or_throw();
  }
};

/// The victim reads; the bystander has written, and is told.
class Read : public StreamTrial {
 public:
  explicit Read(bool may_close = false) {
    start_bystander([this, may_close] {
      say_ready();
      auto writer = StreamWriter::open(holder(), "s", ring_of_64, never).or_throw();
      answer_once_joined([&] { writer.write(kit::counted(written_before), never).or_throw(); });
      wait_until_killed();
      must(writer.buffered() <= written_before, "more was read than was written");
      const auto how = writer.wait_closed(never).code();
      must(how == Errc::peer_died || (how == Errc::closed && may_close), "a reader's death was not told");
      must(writer.write(kit::counted(200), never).failed_with(how), "nobody reads, and it writes");
      std::move(writer).close().or_throw();
      open_again();
    });
  }
  void before() override {
    TopicTrial::before();
    reader_.emplace(StreamReader::open(holder(), "s", never).or_throw());
    say_joined();
  }
  void operation() override {
    std::array<std::byte, written_then> into{};
    for (std::uint64_t at = 0; at < written_before; at += written_then) {
      must(reader_->read(into, never).or_throw() == written_then, "what was written is not there");
      must(kit::is_counted(into, at), "a byte is another than was written, or is read again");
    }
  }

 protected:
  std::optional<StreamReader> reader_;
};
class Peek : public Read {
 public:
  void operation() override {
    for (std::uint64_t at = 0; at < written_before; at += written_then) {
      const auto runs = reader_->peek(written_then, never).or_throw();
      must(runs.size() == written_before - at, "what was written is not there");
      must(kit::is_counted(runs.first, at), "a byte is another than was written, or is read again");
      reader_->consume(written_then).or_throw();
    }
  }
};

class CloseWriter : public Write {
 public:
  CloseWriter() : Write(Reads::to_the_close) {}
  void operation() override { std::move(*writer_).close().or_throw(); }
};
class CloseReader : public Read {
 public:
  CloseReader() : Read(true) {}
  void operation() override { std::move(*reader_).close().or_throw(); }
};

/// The victim opens an end, meets a file of one who does nothing, or nobody, and gives up.
class Open : public StreamTrial {
 public:
  explicit Open(tenon::StreamRole role) : role_(role) {
    start_bystander([this] {
      const auto name = tenon::StreamFileName::make(opposite(role_), "s").or_throw();
      const auto shape = tenon::StreamShape{.capacity = opposite(role_) == tenon::StreamRole::writer ? 64U : 0U};
      {
        const auto idle = tenon::OwnStreamFile::create(holder(), name, shape).or_throw();
        ready_and_wait();
        idle.remove_name(holder().domain().directory());
      }
      open_again();
    });
  }
  void operation() override {
    if (role_ == tenon::StreamRole::writer) {
      must(StreamWriter::open(holder(), "s", ring_of_64, immediately).failed_with(Errc::timed_out), "it met nobody");
    } else {
      must(StreamReader::open(holder(), "s", immediately).failed_with(Errc::timed_out), "it met nobody");
    }
  }

 private:
  tenon::StreamRole role_;
};
class OpenWriter : public Open {
 public:
  OpenWriter() : Open(tenon::StreamRole::writer) {}
};
class OpenReader : public Open {
 public:
  OpenReader() : Open(tenon::StreamRole::reader) {}
};

/// The victim opens where a dead one has left its file.
class MakeWay : public StreamTrial {
 public:
  MakeWay() {
    start_bystander([this] {
      tenon::Child dead = tenon::spawn([this] { return die_as_writer(); }).or_throw();
      must(dead.wait(never).or_throw() == tenon::ExitStatus::killed(SIGKILL), "the dead one is not dead");
      ready_and_wait();
      open_again();
    });
  }
  void operation() override {
    must(StreamWriter::open(holder(), "s", ring_of_64, immediately).failed_with(Errc::timed_out), "it met nobody");
  }

 private:
  int die_as_writer() {
    TopicTrial::before();
    const auto name = tenon::StreamFileName::make(tenon::StreamRole::writer, "s").or_throw();
    const auto idle = tenon::OwnStreamFile::create(holder(), name, {.capacity = 64}).or_throw();
    return ::raise(SIGKILL);
  }
};

/// The control: the count says that the bytes are there before they are.
class CountedFirst : public kit::KillTrial {
 public:
  void operation() override {
    memory_->head.store(8);
    for (std::size_t i = 0; i < 8; ++i) {
      std::atomic_ref(memory_->bytes[i]).store(kit::counted_byte(i));
    }
  }
  void survive() override {
    tenon::StreamConsumer<> consumer(memory_->head, memory_->tail, memory_->bytes, 0);
    must(consumer.look(), "the count makes no sense");
    must(kit::is_counted(consumer.readable(8).first, 0), "a byte is another than was written");
  }
  std::uint64_t state() override { return kit::hash_of(memory_.bytes()); }

 private:
  struct Memory {
    std::atomic<std::uint64_t> head;
    std::atomic<std::uint64_t> tail;
    std::array<std::byte, 64> bytes;
  };
  kit::Shared<Memory> memory_;
};

}  // namespace

kit::KillCase stream_write() { return case_of<Write>("stream: write"); }
kit::KillCase stream_write_to_who_polls() { return case_of<WriteToWhoPolls>("stream: write to one who polls"); }
kit::KillCase stream_write_in_place() { return case_of<WriteInPlace>("stream: write in place"); }
kit::KillCase stream_read() { return case_of<Read>("stream: read"); }
kit::KillCase stream_peek() { return case_of<Peek>("stream: read in place"); }
kit::KillCase stream_open_writer() { return case_of<OpenWriter>("stream: open the writing end"); }
kit::KillCase stream_open_reader() { return case_of<OpenReader>("stream: open the reading end"); }
kit::KillCase stream_close_writer() { return case_of<CloseWriter>("stream: close the writing end"); }
kit::KillCase stream_close_reader() { return case_of<CloseReader>("stream: close the reading end"); }
kit::KillCase stream_make_way() { return case_of<MakeWay>("stream: take away what a dead one left"); }
kit::KillCase stream_counted_first() { return case_of<CountedFirst>("stream: bytes counted first", true); }

}  // namespace kill_cases
