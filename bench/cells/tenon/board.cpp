// Blackboards: the latest value of a key. There and back is a value of one key, and then one of another; nothing else
// is the same work as a message, since values that nobody looked at are gone.
#include <cells/subjects.hpp>
#include <cells/tenon/mechanisms.hpp>

#include <tenon/messaging/blackboard/blackboard.hpp>
#include <topic/start_domain.hpp>

#include <array>

namespace cells {

namespace {

using tenon::MutableBytes;
using topics::Member;

template <std::size_t Words>
struct Value {
  static constexpr std::string_view type_name = "bench.Value";
  std::array<std::uint64_t, Words> words;
};

template <std::size_t Words>
class Boards {
  using Board = tenon::Blackboard<std::uint64_t, Value<Words>>;
  using Entry = tenon::BoardEntry<Value<Words>>;

 public:
  static constexpr std::size_t bytes = topics::start_bytes;

  explicit Boards(const Cell& cell) : wait_(cell.wait) {}
  void finish() const {}  // its files go with the run
  void prepare(MutableBytes shared) const { topics::new_domain(shared); }

  struct End {
    std::shared_ptr<Member> self;
    std::shared_ptr<Board> board;
    Entry entry;
    Wait wait;
    std::uint64_t seen = 0;

    void send(std::uint64_t number) {
      Value<Words> value;
      harness::write_payload(std::as_writable_bytes(std::span(value.words)), number);
      entry.write(value, tenon::never).or_throw();
    }
    void send_urgent(std::uint64_t number) { send(number); }
    std::uint64_t receive(std::uint64_t number) {
      if (wait == Wait::spin) {
        harness::spin_until([&] { return entry.number() != seen; });
      }
      const auto latest = entry.wait(seen, tenon::never).or_throw();
      seen = latest.number;
      number = harness::number_of(std::as_bytes(std::span(latest.value.words)), number);
      harness::check_payload(std::as_bytes(std::span(latest.value.words)), number);
      return number;
    }
  };
  End sender(MutableBytes shared, std::size_t line) const {
    static const auto self = std::make_shared<Member>(shared.first(topics::start_bytes));
    return end(self, line);
  }
  End receiver(MutableBytes shared, std::size_t line) const { return sender(shared, line); }

  std::int64_t first(MutableBytes shared, std::uint64_t number) const {
    static const auto self = std::make_shared<Member>(shared.first(topics::start_bytes));
    std::int64_t received = 0;
    {
      End made = end(self, 0);
      made.send(number);
      made.receive(number);
      received = tenon::monotonic_now();
    }
    Board::remove(self->holder().domain(), "b").or_throw();
    return received;
  }
  bool to_all() const { return true; }
  bool shared_by_senders() const { return true; }

 private:
  End end(std::shared_ptr<Member> self, std::size_t line) const {
    auto board = std::make_shared<Board>(Board::open_or_create(self->holder(), "b", {.keys = 2}).or_throw());
    auto entry = board->template entry<Value<Words>>(line, tenon::never).or_throw();
    return {std::move(self), std::move(board), entry, wait_};
  }
  Wait wait_;
};

template <std::size_t Words>
harness::Subject subject_of_words(const Cell& cell) {
  return Subjects("board", Boards<Words>(cell), cell).subject();
}

tenon::Result<harness::Subject> subject_of(const Cell& cell) {
  if ((cell.pattern != Pattern::round_trip && cell.pattern != Pattern::first_message) || cell.wait == Wait::poll) {
    return tenon::fail(tenon::Errc::not_supported);
  }
  switch (cell.bytes) {  // values have a size that their type tells
    case 8:
      return subject_of_words<1>(cell);
    case 64:
      return subject_of_words<8>(cell);
    case 1024:
      return subject_of_words<128>(cell);
    case 65536:
      return subject_of_words<8192>(cell);
    default:
      return tenon::fail(tenon::Errc::not_supported);
  }
}

}  // namespace

Mechanism board_mechanism() {
  return {.name = "board",
          .family = "Tenon",
          .about = "the latest value of a key, of 8 B, 64 B, 1 KiB or 64 KiB",
          .subject = subject_of};
}

}  // namespace cells
