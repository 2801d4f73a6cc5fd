#include <cells/limit_of.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/system_call.hpp>
#include <limits/stepping_side.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <iterator>
#include <unistd.h>

namespace cells {

namespace {

using limits::Extent;
using limits::Kind;
using limits::Limit;
using limits::Where;

// A message of this many bytes goes in a bounced line, or in a line of a ring.
constexpr std::size_t within_a_line = 40;

Limit futex_where(Where where) {
  auto all = limits::futexes(Extent::quick);
  return *std::ranges::find(all, where, &Limit::where);
}

void add_of_kind(std::vector<Limit>& to, std::vector<Limit> from, Kind kind, std::size_t bytes) {
  std::erase_if(from, [&](const Limit& limit) { return limit.kind != kind || limit.payload_bytes != bytes; });
  std::ranges::move(from, std::back_inserter(to));
}

// The rings whose slots have its size; else the pools whose chunks have it.
std::vector<Limit> hand_overs(std::size_t bytes, Extent extent) {
  std::vector<Limit> all;
  add_of_kind(all, limits::sequenced_rings(extent), Kind::one_way, bytes);
  add_of_kind(all, limits::draining_rings(extent), Kind::one_way, bytes);
  return all.empty() ? limits::chunk_pools_of(bytes, Kind::one_way, extent) : all;
}

struct BarePipe {
  std::uint64_t at = 0;
  void step(harness::Round& round) {
    std::array<int, 2> ends{};
    std::uint64_t got = 0;
    const bool went = ::pipe2(ends.data(), O_CLOEXEC) == 0 && ::write(ends[1], &at, sizeof at) == sizeof at &&
                      ::read(ends[0], &got, sizeof got) == sizeof got && got == at;
    if (!went) {
      throw tenon::Failure(tenon::os_failure("pipe2", errno));
    }
    const std::int64_t done = tenon::monotonic_now();
    ::close(ends[0]);
    ::close(ends[1]);
    ++at;
    round.leave_out(static_cast<double>(tenon::monotonic_now() - done));
  }
};

Limit bare_pipe() {
  return {.family = "pipe",
          .subject = {.name = "a bare pipe: made, 8 bytes through it",
                      .sides = {limits::stepping_side("maker", [](tenon::MutableBytes) { return BarePipe(); })}},
          .where = Where::alone,
          .kind = Kind::cost};
}

}  // namespace

std::vector<Limit> limits_of(const Cell& cell, Extent extent) {
  switch (cell.pattern) {
    case Pattern::first_message:
      return {bare_pipe()};
    case Pattern::backlog:
      return limits::cache_line(extent);
    case Pattern::round_trip:
      if (cell.place == Place::one_core) {
        return {futex_where(Where::one_core)};
      }
      if (cell.sleeps()) {
        return {futex_where(Where::across_cores)};
      }
      return cell.bytes <= within_a_line ? limits::cache_line(extent)
                                         : limits::chunk_pools_of(cell.bytes, Kind::round_trip, extent);
    default:
      return hand_overs(cell.bytes, extent);
  }
}

double messages_of(const Cell& cell) {
  switch (cell.pattern) {
    case Pattern::queued:
      return static_cast<double>(cell.peers + 1);
    case Pattern::backlog:
      return 0.5;  // the limit goes there and back
    case Pattern::fan_out:
      return 1;  // which all receivers may read at once
    default:
      return cell.deliveries();
  }
}

}  // namespace cells
