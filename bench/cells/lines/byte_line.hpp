#pragma once
/// A line over ends that carry bytes, not messages: what is read may be a part, and is gone on with.
#include <tenon/os/poll.hpp>
#include <cells/line.hpp>

#include <utility>

namespace cells {

/// The ends of a line as two of Tenon's handles, of which `memory_of(fd)` tells what the kernel holds between them.
template <class Reader, class Writer, std::size_t (*memory_of)(tenon::FdView)>
struct HandleEnds {
  Reader reader;
  Writer writer;

  tenon::Result<std::size_t> try_read(tenon::MutableBytes into) { return reader.try_read(into); }
  tenon::Result<std::size_t> read(tenon::MutableBytes into) { return reader.read(into, tenon::never); }
  tenon::Result<std::size_t> try_write(tenon::Bytes from) { return writer.try_write(from); }
  tenon::Result<std::size_t> write(tenon::Bytes from) { return writer.write(from, tenon::never); }
  void wait_readable() { tenon::wait_ready(reader.fd(), tenon::Ready::reading, tenon::never).or_throw(); }
  void wait_writable() { tenon::wait_ready(writer.fd(), tenon::Ready::writing, tenon::never).or_throw(); }
  std::size_t memory() const { return memory_of(writer.fd()); }
};

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
