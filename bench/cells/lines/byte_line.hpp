#pragma once
/// A line over ends that carry bytes, not messages: what is read may be a part, and is gone on with.
#include <cells/line.hpp>

#include <utility>

namespace cells {

/// `Ends` has read and write, try_read and try_write, wait_readable and wait_writable, and memory().
template <class Ends>
class ByteLine final : public CopyingLine {
 public:
  ByteLine(Ends ends, const Cell& cell) : CopyingLine(cell.bytes), ends_(std::move(ends)), wait_(cell.wait) {}
  std::optional<std::size_t> memory() const override { return ends_.memory(); }

 protected:
  void put(tenon::Bytes message) override {
    move_all(
        message, [&](auto rest) { return ends_.try_write(rest); }, [&](auto rest) { return ends_.write(rest); },
        [&] { ends_.wait_writable(); });
  }
  bool try_put(tenon::Bytes message) override {
    const auto moved = ends_.try_write(message);
    return moved && *moved == message.size();
  }
  void take(tenon::MutableBytes into) override {
    move_all(
        into, [&](auto rest) { return ends_.try_read(rest); }, [&](auto rest) { return ends_.read(rest); },
        [&] { ends_.wait_readable(); });
  }

 private:
  template <class Span, class Try, class Block, class Ready>
  void move_all(Span rest, Try try_it, Block block, Ready ready) {
    while (!rest.empty()) {
      std::size_t moved = 0;
      const auto attempt = [&] {
        auto some = try_it(rest);
        moved = some ? *some : 0;
        return went(std::move(some));
      };
      wait_by(wait_, attempt, [&] { moved = block(rest).or_throw(); }, ready);
      if (moved == 0) {
        throw std::runtime_error("the line was closed");
      }
      rest = rest.subspan(moved);
    }
  }

  Ends ends_;
  Wait wait_;
};

}  // namespace cells
