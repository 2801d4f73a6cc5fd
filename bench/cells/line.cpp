#include <cells/line.hpp>

#include <cells/subjects.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace cells {

namespace {

using tenon::MutableBytes;

// The lines of a start: opened before its processes are forked, and gone when the next start opens its own.
class Lines {
 public:
  static constexpr std::size_t bytes = 0;

  Lines(LineKind kind, const Cell& cell, std::size_t count)
      : kind_(std::move(kind)), cell_(cell), opened_(std::make_shared<Opened>()), count_(count) {}
  void prepare(MutableBytes) const {
    opened_->clear();
    for (std::size_t i = 0; i < count_; ++i) {
      opened_->push_back(kind_.open(cell_));
    }
  }

  void finish() const { opened_->clear(); }

  struct End {
    std::shared_ptr<Line> line;
    void send(std::uint64_t number) { line->send(number); }
    void send_urgent(std::uint64_t number) { line->send_urgent(number); }
    std::uint64_t receive(std::uint64_t number) { return line->receive(number); }
  };
  End sender(MutableBytes, std::size_t line) const { return {(*opened_)[line]}; }
  End receiver(MutableBytes, std::size_t line) const { return {(*opened_)[line]}; }

  std::int64_t first(MutableBytes, std::uint64_t number) const {
    const auto line = kind_.open(cell_);
    line->send(number);
    line->receive(number);
    return tenon::monotonic_now();
  }
  bool to_all() const { return false; }
  bool shared_by_senders() const { return kind_.shared_by_senders; }

 private:
  using Opened = std::vector<std::shared_ptr<Line>>;
  LineKind kind_;
  Cell cell_;
  std::shared_ptr<Opened> opened_;
  std::size_t count_;
};

std::size_t lines_of(const LineKind& kind, const Cell& cell) {
  switch (cell.pattern) {
    case Pattern::round_trip:
      return 2;
    case Pattern::fan_out:
      return cell.peers;
    case Pattern::fan_in:
      return kind.shared_by_senders ? 1 : cell.peers;
    case Pattern::first_message:
      return 0;
    default:
      return 1;
  }
}

// Else its sender would wait for a receiver that waits for it.
bool holds(Line& line, std::size_t messages) {
  for (std::size_t i = 0; i < messages; ++i) {
    if (!line.try_send(i)) {
      return false;
    }
  }
  return true;
}

tenon::Result<harness::Subject> subject_of(const LineKind& kind, const Cell& cell) try {
  const bool waits_so = cell.wait != Wait::poll || kind.can_poll;
  const bool has_depth = cell.depth == 0 || kind.has_depth;
  if (cell.bytes > kind.most_bytes || !waits_so || !has_depth) {
    return tenon::fail(tenon::Errc::not_supported);
  }
  if (cell.has_backlog() && !holds(*kind.open(cell), cell.peers + 1)) {
    return tenon::fail(tenon::Error(tenon::Errc::limit_reached)
                           .because(fmt::format("it holds fewer than {} messages", cell.peers + 1)));
  }
  return Subjects(kind.name, Lines(kind, cell, lines_of(kind, cell)), cell).subject();
} catch (const tenon::Failure& failure) {
  return tenon::fail(failure.error());
}

}  // namespace

Mechanism mechanism_of(const LineKind& kind) {
  return {.name = kind.name,
          .family = kind.family,
          .about = kind.about,
          .subject = [=](const Cell& cell) { return subject_of(kind, cell); },
          .memory = [=](const Cell& cell) -> std::optional<std::size_t> {
            try {
              return kind.open(cell)->memory();
            } catch (const tenon::Failure&) {
              return std::nullopt;  // the subject's start says why
            }
          }};
}

}  // namespace cells
