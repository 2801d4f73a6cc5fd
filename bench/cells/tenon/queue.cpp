// Queues: of 64 bytes the messages have a type of that size, of all else they are Bytes.
#include <cells/subjects.hpp>
#include <cells/tenon/mechanisms.hpp>

#include <tenon/messaging/queue/queue.hpp>
#include <topic/start_domain.hpp>

#include <algorithm>
#include <array>

namespace cells {

namespace {

using tenon::Bytes;
using tenon::MutableBytes;
using topics::Member;

struct Words64 {
  static constexpr std::string_view type_name = "bench.Words64";
  std::array<std::uint64_t, 8> words;
};

tenon::QueueOptions options_of(const Cell& cell) {
  constexpr std::size_t memory = std::size_t{4} << 20;
  const std::size_t messages = cell.room(std::clamp<std::size_t>(memory / cell.bytes, 2, 256));
  return {.messages = static_cast<std::uint32_t>(messages), .bytes = messages * std::max<std::size_t>(cell.bytes, 64)};
}

template <class Message>
class Queues {
  using Queue = tenon::Queue<Message>;

 public:
  static constexpr std::size_t bytes = topics::start_bytes;

  explicit Queues(const Cell& cell) : cell_(cell) {}
  void finish() const {}  // its files go with the run
  void prepare(MutableBytes shared) const { topics::new_domain(shared); }

  class End {
   public:
    End(std::shared_ptr<Member> self, const Cell& cell, const std::string& name)
        : self_(std::move(self)),
          queue_(std::make_shared<Queue>(Queue::open_or_create(self_->holder(), name, options_of(cell)).or_throw())),
          words_(cell.bytes / 8) {
      queue_->wait_by(waiting_of(cell.wait));
    }
    void send(std::uint64_t number) { send(number, tenon::lowest_priority); }
    void send_urgent(std::uint64_t number) { send(number, tenon::Priority{1}); }
    std::uint64_t receive(std::uint64_t number) {
      if constexpr (is_typed) {
        const auto got = queue_->receive(tenon::never).or_throw();
        number = harness::number_of(std::as_bytes(std::span(got.value.words)), number);
        harness::check_words<8>(got.value.words.data(), number);
      } else {
        const MutableBytes into = std::as_writable_bytes(std::span(words_));
        queue_->receive(into, tenon::never).or_throw();
        number = harness::number_of(into, number);
        harness::check_payload(into, number);
      }
      return number;
    }

   private:
    static constexpr bool is_typed = std::is_same_v<Message, Words64>;
    void send(std::uint64_t number, tenon::Priority priority) {
      if constexpr (is_typed) {
        Words64 message;
        harness::write_words<8>(message.words.data(), number);
        queue_->send(message, priority, tenon::never).or_throw();
      } else {
        harness::write_payload(std::as_writable_bytes(std::span(words_)), number);
        queue_->send(std::as_bytes(std::span(words_)), priority, tenon::never).or_throw();
      }
    }
    std::shared_ptr<Member> self_;
    std::shared_ptr<Queue> queue_;
    std::vector<std::uint64_t> words_;
  };
  End sender(MutableBytes shared, std::size_t line) const {
    return {member(shared), cell_, "q" + std::to_string(line)};
  }
  End receiver(MutableBytes shared, std::size_t line) const { return sender(shared, line); }

  std::int64_t first(MutableBytes shared, std::uint64_t number) const {
    const auto self = member(shared);
    std::int64_t received = 0;
    {
      End end(self, cell_, "first");
      end.send(number);
      end.receive(number);
      received = tenon::monotonic_now();
    }
    Queue::remove(self->holder().domain(), "first").or_throw();
    return received;
  }
  bool to_all() const { return false; }
  bool shared_by_senders() const { return true; }

 private:
  // A process joins its domain once, however many of its queues it uses.
  static std::shared_ptr<Member> member(MutableBytes shared) {
    static const auto self = std::make_shared<Member>(shared.first(topics::start_bytes));
    return self;
  }
  Cell cell_;
};

tenon::Result<harness::Subject> subject_of(const Cell& cell) {
  if (cell.wait == Wait::poll) {
    return tenon::fail(tenon::Errc::not_supported);
  }
  return cell.bytes == sizeof(Words64) ? Subjects("queue", Queues<Words64>(cell), cell).subject()
                                       : Subjects("queue", Queues<Bytes>(cell), cell).subject();
}

std::optional<std::size_t> memory_of(const Cell& cell) {
  const auto needed = tenon::Queue<Bytes>::memory_needed(options_of(cell));
  return needed ? std::optional<std::size_t>(*needed) : std::nullopt;
}

}  // namespace

Mechanism queue_mechanism() {
  return {.name = "queue",
          .family = "Tenon",
          .about = "to one of several receivers, by priority; messages stay until they are taken",
          .subject = subject_of,
          .memory = memory_of};
}

}  // namespace cells
