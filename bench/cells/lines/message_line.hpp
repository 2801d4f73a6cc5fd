#pragma once
/// A line over ends that carry whole messages.
#include <cells/line.hpp>

#include <utility>

namespace cells {

/// `Ends` has send and receive, try_send and try_receive, wait_sendable and wait_receivable, and memory().
template <class Ends>
class MessageLine final : public CopyingLine {
 public:
  MessageLine(Ends ends, const Cell& cell) : CopyingLine(cell.bytes), ends_(std::move(ends)), wait_(cell.wait) {}
  std::optional<std::size_t> memory() const override { return ends_.memory(); }
  void send_urgent(std::uint64_t number) override {
    if constexpr (requires { ends_.urgent(true); }) {
      ends_.urgent(true);
      send(number);
      ends_.urgent(false);
    } else {
      send(number);
    }
  }

 protected:
  void put(tenon::Bytes message) override {
    wait_by(
        wait_, [&] { return went(ends_.try_send(message)); }, [&] { ends_.send(message).or_throw(); },
        [&] { ends_.wait_sendable(); });
  }
  bool try_put(tenon::Bytes message) override { return went(ends_.try_send(message)); }
  void take(tenon::MutableBytes into) override {
    wait_by(
        wait_, [&] { return went(ends_.try_receive(into)); }, [&] { ends_.receive(into).or_throw(); },
        [&] { ends_.wait_receivable(); });
  }

 private:
  Ends ends_;
  Wait wait_;
};

}  // namespace cells
