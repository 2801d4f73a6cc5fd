// Streams: bytes in shared memory, with a pipe's ends.
#include <cells/subjects.hpp>
#include <cells/tenon/mechanisms.hpp>

#include <tenon/messaging/stream/stream.hpp>
#include <topic/start_domain.hpp>

#include <algorithm>

namespace cells {

namespace {

using tenon::MutableBytes;
using tenon::StreamReader;
using tenon::StreamWriter;
using topics::Member;

std::uint64_t capacity_of(const Cell& cell) {
  constexpr std::size_t usual = std::size_t{256} << 10;
  return cell.depth > 0 ? cell.depth * cell.bytes : std::max(usual, cell.room(0) * cell.bytes);
}

class Streams {
 public:
  static constexpr std::size_t bytes = topics::start_bytes;

  explicit Streams(const Cell& cell) : cell_(cell) {}
  void finish() const {}  // its files go with the run
  void prepare(MutableBytes shared) const { topics::new_domain(shared); }

  struct Sender {
    std::shared_ptr<Member> self;
    std::shared_ptr<StreamWriter> writer;
    std::vector<std::uint64_t> words;
    void send(std::uint64_t number) {
      harness::write_payload(std::as_writable_bytes(std::span(words)), number);
      writer->write(std::as_bytes(std::span(words)), tenon::never).or_throw();
    }
    void send_urgent(std::uint64_t number) { send(number); }
  };
  struct Receiver {
    std::shared_ptr<Member> self;
    std::shared_ptr<StreamReader> reader;
    std::vector<std::uint64_t> words;
    std::uint64_t receive(std::uint64_t number) {
      const MutableBytes message = std::as_writable_bytes(std::span(words));
      for (MutableBytes rest = message; !rest.empty();) {
        rest = rest.subspan(reader->read(rest, tenon::never).or_throw());
      }
      number = harness::number_of(message, number);
      harness::check_payload(message, number);
      return number;
    }
  };

  Sender sender(MutableBytes shared, std::size_t line) const {
    auto self = member(shared);
    auto writer = StreamWriter::open(self->holder(), name_of_line(line),
                                     {.capacity = capacity_of(cell_), .waiting = waiting_of(cell_.wait)}, tenon::never);
    return {self, std::make_shared<StreamWriter>(std::move(writer).or_throw()), words()};
  }
  Receiver receiver(MutableBytes shared, std::size_t line) const {
    auto self = member(shared);
    auto reader =
        StreamReader::open(self->holder(), name_of_line(line), {.waiting = waiting_of(cell_.wait)}, tenon::never);
    return {self, std::make_shared<StreamReader>(std::move(reader).or_throw()), words()};
  }
  std::int64_t first(MutableBytes, std::uint64_t) const { throw std::logic_error("its ends wait for each other"); }
  bool to_all() const { return false; }
  bool shared_by_senders() const { return false; }

 private:
  static std::string name_of_line(std::size_t line) { return "s" + std::to_string(line); }
  static std::shared_ptr<Member> member(MutableBytes shared) {
    static const auto self = std::make_shared<Member>(shared.first(topics::start_bytes));
    return self;
  }
  std::vector<std::uint64_t> words() const { return std::vector<std::uint64_t>(cell_.bytes / 8); }
  Cell cell_;
};

tenon::Result<harness::Subject> subject_of(const Cell& cell) {
  if (cell.wait == Wait::poll || cell.pattern == Pattern::first_message) {
    return tenon::fail(tenon::Errc::not_supported);
  }
  return Subjects("stream", Streams(cell), cell).subject();
}

}  // namespace

Mechanism stream_mechanism() {
  return {.name = "stream",
          .family = "Tenon",
          .about = "bytes from one to one, with a pipe's ends",
          .subject = subject_of,
          .memory = [](const Cell& cell) { return capacity_of(cell); }};
}

}  // namespace cells
