// Topics: of 8, 40 and 64 bytes the messages have a type of that size, of all else they are Bytes that lie in chunks.
#include <cells/subjects.hpp>
#include <cells/tenon/mechanisms.hpp>

#include <topic/ends.hpp>
#include <topic/traffic.hpp>

namespace cells {

namespace {

using tenon::MutableBytes;
using topics::Member;

topics::Traffic traffic_of(const Cell& cell) {
  if (cell.pattern == Pattern::first_message) {  // as who chooses nothing has it
    return {.bytes = cell.bytes, .publisher = {.longest = cell.bytes}};
  }
  topics::Traffic traffic = cell.pattern == Pattern::round_trip ? topics::usual_trip(cell.bytes, waiting_of(cell.wait))
                                                                : topics::usual(cell.bytes, waiting_of(cell.wait));
  traffic.publisher.depth = static_cast<std::uint32_t>(cell.room(traffic.publisher.depth));
  return traffic;
}

// Line 0 is one topic and line 1 another: that of the second start.
template <class T>
class Topics {
 public:
  static constexpr std::size_t bytes = 2 * topics::start_bytes;

  explicit Topics(const Cell& cell) : cell_(cell), traffic_(traffic_of(cell)) {}

  void finish() const {}  // its files go with the run
  void prepare(MutableBytes shared) const {
    topics::new_domain(shared.first(topics::start_bytes));
    topics::new_domain(shared.subspan(topics::start_bytes, topics::start_bytes));
  }

  struct Sender : topics::Sender<T> {
    using topics::Sender<T>::Sender;
    void send_urgent(std::uint64_t number) { this->send(number); }
  };
  Sender sender(MutableBytes shared, std::size_t line) const {
    return Sender(member(shared, line), traffic_.publisher, cell_.bytes,
                  cell_.pattern == Pattern::fan_out ? cell_.peers : 1);
  }
  topics::Receiver<T> receiver(MutableBytes shared, std::size_t line) const {
    return topics::Receiver<T>(member(shared, line), traffic_.subscriber);
  }

  std::int64_t first(MutableBytes shared, std::uint64_t number) const {
    static const std::shared_ptr<Member> self = member(shared, 0);  // a process joins its domain once
    topics::Receiver<T> receiver(self, traffic_.subscriber);
    Sender sender(self, traffic_.publisher, cell_.bytes, 1);
    sender.send(number);
    receiver.receive(number);
    return tenon::monotonic_now();
  }
  bool to_all() const { return true; }
  bool shared_by_senders() const { return true; }

 private:
  static std::shared_ptr<Member> member(MutableBytes shared, std::size_t line) {
    return std::make_shared<Member>(shared.subspan(line * topics::start_bytes, topics::start_bytes));
  }
  Cell cell_;
  topics::Traffic traffic_;
};

template <class T>
harness::Subject subject_of_type(const Cell& cell) {
  return Subjects("topic", Topics<T>(cell), cell).subject();
}

tenon::Result<harness::Subject> subject_of(const Cell& cell) {
  if (cell.wait == Wait::poll) {
    return tenon::fail(tenon::Errc::not_supported);
  }
  switch (cell.bytes) {
    case sizeof(topics::Bytes8):
      return subject_of_type<topics::Bytes8>(cell);
    case sizeof(topics::Bytes40):
      return subject_of_type<topics::Bytes40>(cell);
    case sizeof(topics::Bytes64):
      return subject_of_type<topics::Bytes64>(cell);
    default:
      return subject_of_type<tenon::Bytes>(cell);
  }
}

std::optional<std::size_t> memory_of(const Cell& cell) {
  topics::Traffic traffic = traffic_of(cell);
  traffic.publisher.longest = cell.bytes;
  const auto needed = tenon::Publisher<tenon::Bytes>::memory_needed(traffic.publisher);
  return needed ? std::optional<std::size_t>(*needed) : std::nullopt;
}

}  // namespace

Mechanism topic_mechanism() {
  return {.name = "topic",
          .family = "Tenon",
          .about = "from publishers to all subscribers, without a copy",
          .subject = subject_of,
          .memory = memory_of};
}

}  // namespace cells
