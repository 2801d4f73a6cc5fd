#pragma once
/// A line that carries messages from some processes to others: what each of the kernel's mechanisms is made into, so
/// that all of them do the same work in the same patterns.
///
/// A line is opened before the processes are forked, which inherit it. It goes, with all that it has in the kernel,
/// when its last copy in the process that opened it goes; the forked ones are killed and take nothing with them.
#include <tenon/base/bytes.hpp>
#include <tenon/base/result.hpp>
#include <cells/cell.hpp>
#include <harness/clock.hpp>
#include <harness/payload.hpp>
#include <harness/spin.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cells {

class Line {
 public:
  virtual ~Line() = default;
  /// Writes message `number` and sends it.
  virtual void send(std::uint64_t number) = 0;
  /// Takes the next message, reads and checks it, of whichever number for harness::any_number. Returns its number.
  virtual std::uint64_t receive(std::uint64_t number) = 0;
  /// Sends message `number` ahead of all that wait, where the mechanism knows that; else as any other.
  virtual void send_urgent(std::uint64_t number) { send(number); }
  /// Sends message `number` if there is room for it at once.
  virtual bool try_send(std::uint64_t number) = 0;
  /// Bytes that are held for messages on their way.
  virtual std::optional<std::size_t> memory() const { return std::nullopt; }

  Line() = default;
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
};

/// One whose messages are copied out of a buffer and into one.
class CopyingLine : public Line {
 public:
  explicit CopyingLine(std::size_t bytes) : words_(bytes / 8) {}
  void send(std::uint64_t number) final {
    harness::write_payload(bytes(), number);
    put(bytes());
  }
  bool try_send(std::uint64_t number) final {
    harness::write_payload(bytes(), number);
    return try_put(bytes());
  }
  std::uint64_t receive(std::uint64_t number) final {
    take(bytes());
    number = harness::number_of(bytes(), number);
    harness::check_payload(bytes(), number);
    return number;
  }

 protected:
  virtual void put(tenon::Bytes message) = 0;
  virtual bool try_put(tenon::Bytes message) = 0;
  virtual void take(tenon::MutableBytes into) = 0;

 private:
  tenon::MutableBytes bytes() { return std::as_writable_bytes(std::span(words_)); }
  std::vector<std::uint64_t> words_;
};

/// Does it the way the cell waits: `attempt` tells whether it went, `block` waits as long as it takes, `ready` waits
/// until an attempt is worth it.
template <class Attempt, class Block, class Ready>
void wait_by(Wait wait, Attempt attempt, Block block, Ready ready) {
  constexpr int worth_trying = 200;
  switch (wait) {
    case Wait::spin:
      harness::spin_until(attempt);
      return;
    case Wait::adaptive:
      for (int i = 0; i < worth_trying; ++i) {
        if (attempt()) {
          return;
        }
      }
      block();
      return;
    case Wait::sleep:
      block();
      return;
    case Wait::poll:
      while (!attempt()) {
        ready();
      }
      return;
  }
}

/// Whether a call that never waits went through. Throws what else it says.
template <class T>
bool went(tenon::Result<T> result) {
  if (result) {
    return true;
  }
  if (!result.failed_with(tenon::Errc::would_block)) {
    std::move(result).or_throw();
  }
  return false;
}

struct LineKind {
  std::string name;
  std::string family;
  std::string about;
  /// The longest message that it carries whole.
  std::size_t most_bytes;
  /// Several senders may share one line and their messages stay whole; else each has one, and they are received in
  /// turn.
  bool shared_by_senders = false;
  bool can_poll = false;
  bool has_depth = true;  ///< how much is under way can be chosen
  std::function<std::shared_ptr<Line>(const Cell&)> open;
};

/// A mechanism of the table.
Mechanism mechanism_of(const LineKind& kind);

// One file each.
LineKind pipe_line();
LineKind fifo_line();
LineKind unix_stream_line();
LineKind unix_seqpacket_line();
LineKind unix_datagram_line();
LineKind tcp_line();
LineKind posix_queue_line();
LineKind sysv_queue_line();
LineKind posix_memory_line();
LineKind sysv_memory_line();
LineKind memfd_line();

}  // namespace cells
