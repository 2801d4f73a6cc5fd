#include <topic/row.hpp>

#include <harness/table.hpp>
#include <limits/draining_ring.hpp>
#include <limits/ring_subjects.hpp>
#include <limits/run.hpp>
#include <limits/sequenced_ring.hpp>
#include <topic/creation.hpp>
#include <topic/publish_cost.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace topics {

using harness::size_text;
using limits::Extent;
using limits::Kind;
using limits::Limit;
using limits::Where;
using tenon::Timestamps;
using tenon::Waiting;

namespace {

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;
/// Up to so many bytes, a message is one cache line of the ring.
constexpr std::size_t one_line = 40;

constexpr double short_trip = 1.3;
constexpr double long_trip = 1.15;
constexpr double untouched_trip = 1.8;
constexpr double of_rate = 1 / 0.8;
constexpr double of_batched_rate = 1 / 0.7;

template <class Ring>
Limit ring(std::size_t slots, std::size_t payload_bytes, std::uint64_t gathered = 1) {
  return {.family = Ring::family,
          .subject = limits::one_way(fmt::format("{}, {} slots", Ring::family, slots),
                                     limits::bare_ring<Ring>(slots, gathered)),
          .where = Where::across_cores,
          .kind = Kind::one_way,
          .payload_bytes = payload_bytes};
}

std::vector<Limit> only(std::vector<Limit> limits, Kind kind, std::size_t payload_bytes) {
  std::erase_if(limits, [&](const Limit& limit) { return limit.kind != kind || limit.payload_bytes != payload_bytes; });
  return limits;
}

// All bare rings and pools of that size.
std::vector<Limit> hand_overs(std::size_t bytes, Extent extent) {
  std::vector<Limit> all = limits::chunk_pools_of(bytes, Kind::one_way, extent);
  for (auto rings : {limits::sequenced_rings, limits::draining_rings}) {
    std::ranges::move(only(rings(extent), Kind::one_way, bytes), std::back_inserter(all));
  }
  return all;
}

std::vector<Limit> limits_of_trip(const Traffic& traffic, Extent extent) {
  return traffic.bytes <= one_line || traffic.untouched
             ? limits::cache_line(extent)
             : limits::chunk_pools_of(traffic.bytes, Kind::round_trip, extent);
}

// A line for each message, as the topic's entry is, in a ring as deep.
std::vector<Limit> limits_of_stream(const Traffic& traffic, Extent extent) {
  if (traffic.bytes > one_line) {
    return hand_overs(traffic.bytes, extent);
  }
  const std::size_t slots = traffic.publisher.depth;
  return {traffic.at_once == 1 ? ring<limits::SequencedRing<64>>(slots, one_line)
                               : ring<limits::DrainingRing<64>>(slots, one_line, slots / 2)};
}

Aim aim_of_trip(const Traffic& traffic) {
  const double ratio = traffic.untouched ? untouched_trip : traffic.bytes <= one_line ? short_trip : long_trip;
  return {.ratio = ratio, .clock_reads_beside = traffic.publisher.timestamps == Timestamps::none ? 0 : 2};
}

Aim aim_of_stream(const Traffic& traffic) {
  if (traffic.subscriber.waiting == Waiting::sleep) {
    return {};
  }
  return {.ratio = traffic.at_once > 1 ? of_batched_rate : of_rate,
          .clock_reads_within = traffic.publisher.timestamps == Timestamps::exact ? 1 : 0};
}

Traffic stamped(Traffic traffic) {
  traffic.publisher.timestamps = Timestamps::exact;
  return traffic;
}
// What is not touched is in no cache: a ring as deep as its memory allows, so that who is there is seldom looked up.
Traffic untouched(Traffic traffic) {
  constexpr std::size_t most_memory = 64 * mib;
  traffic.untouched = true;
  traffic.publisher.depth = static_cast<std::uint32_t>(std::clamp<std::size_t>(most_memory / traffic.bytes, 2, 4096));
  return traffic;
}
Traffic batched(Traffic traffic) {
  traffic.at_once = 64;
  return traffic;
}
Traffic at_depth(std::uint32_t depth, Traffic traffic) {
  traffic.publisher.depth = depth;
  return traffic;
}
Traffic spinning(std::size_t bytes) { return usual(bytes, Waiting::spin); }

void add_trips(std::vector<Row>& rows, Extent extent) {
  for (std::size_t bytes : {std::size_t{8}, one_line}) {
    const Traffic traffic = usual_trip(bytes, Waiting::spin);
    rows.push_back(round_trip(traffic, extent));
    rows.push_back(round_trip(stamped(traffic), extent));
  }
  for (std::size_t bytes : {kib, 64 * kib, mib, 4 * mib}) {
    rows.push_back(round_trip(usual_trip(bytes, Waiting::spin), extent));
    rows.push_back(round_trip(untouched(spinning(bytes)), extent));
  }
}

void add_streams(std::vector<Row>& rows, Extent extent) {
  for (std::size_t bytes : {std::size_t{8}, one_line}) {
    for (std::uint32_t depth : {1024U, 65536U}) {
      const Traffic traffic = at_depth(depth, spinning(bytes));
      rows.push_back(one_way_row(traffic, extent));
      rows.push_back(one_way_row(stamped(traffic), extent));
      rows.push_back(one_way_row(batched(traffic), extent));
    }
  }
  for (std::size_t bytes : {std::size_t{64}, kib, 64 * kib, mib}) {
    rows.push_back(one_way_row(spinning(bytes), extent));
    rows.push_back(one_way_row(stamped(spinning(bytes)), extent));
  }
  rows.push_back(one_way_row(batched(spinning(64)), extent));
}

// Beside a bare ring of 64 bytes, these are what the best peer delivers.
void add_fan_outs(std::vector<Row>& rows) {
  struct Many {
    std::size_t subscribers;
    double best_peer;
  };
  for (const auto& [subscribers, best_peer] : {Many{4, 1.6}, Many{16, 1.85}}) {
    for (const Traffic& traffic : {batched(usual(64, Waiting::spin)), batched(usual(64, Waiting::adaptive)),
                                   batched(usual(64, Waiting::sleep)), usual(64, Waiting::sleep)}) {
      rows.push_back({.group = "fan-out, reliable, 64 B",
                      .name = fmt::format("64 B to {} subscribers", subscribers),
                      .options = options_text(traffic),
                      .limits = {ring<limits::SequencedRing<64>>(1024, 64), ring<limits::SequencedRing<64>>(65536, 64)},
                      .subject = fan_out(traffic, subscribers),
                      .placement = harness::one_and_others(subscribers + 1),
                      .kind = Kind::one_way,
                      .aim = {.ratio = 1 / best_peer},
                      .deliveries = static_cast<double>(subscribers)});
    }
  }
}

Limit as_limit(harness::Subject subject, Where where, Kind kind) {
  return {.family = "topic", .subject = std::move(subject), .where = where, .kind = kind};
}

// One waiting mode beside another of the same topic.
Row beside_itself(std::string name, const Traffic& traffic, harness::Subject other, harness::Subject subject,
                  Where where, Kind kind, double ratio) {
  return {.group = "a port that may sleep",
          .name = std::move(name),
          .options = options_text(traffic),
          .limits = {as_limit(std::move(other), where, kind)},
          .subject = std::move(subject),
          .placement = limits::placement_of(where),
          .kind = kind,
          .aim = {.ratio = ratio}};
}

void add_sleepers(std::vector<Row>& rows) {
  const auto waiting = [](Waiting how) { return at_depth(1024, usual(one_line, how)); };
  for (const Limit& futex : limits::futexes(Extent::quick)) {
    rows.push_back({.group = "a port that may sleep",
                    .name = fmt::format("40 B there and back asleep, {}", limits::name_of(futex.where)),
                    .options = options_text(waiting(Waiting::sleep)),
                    .limits = {futex},
                    .subject = there_and_back_asleep(waiting(Waiting::sleep), futex.where),
                    .placement = limits::placement_of(futex.where),
                    .kind = Kind::round_trip,
                    .aim = {.ratio = 1.1}});
  }
  const Traffic adaptive = waiting(Waiting::adaptive);
  rows.push_back(beside_itself("adaptive beside spinning, there and back, across cores", adaptive,
                               there_and_back(waiting(Waiting::spin)), there_and_back(adaptive), Where::across_cores,
                               Kind::round_trip, 1.15));
  rows.push_back(beside_itself("adaptive beside sleeping, there and back, one core", adaptive,
                               there_and_back(waiting(Waiting::sleep)), there_and_back(adaptive), Where::one_core,
                               Kind::round_trip, 1.15));
  rows.push_back(beside_itself("64 B one way, may sleep beside never", usual(64, Waiting::adaptive),
                               one_way(usual(64, Waiting::spin)), one_way(usual(64, Waiting::adaptive)),
                               Where::across_cores, Kind::one_way, of_rate));
}

void add_costs(std::vector<Row>& rows, Extent extent) {
  const auto cost = [](std::string name, harness::Subject one, harness::Subject many, Where where, double ratio) {
    return Row{.group = "publishing, 40 B, beside publishing to one",
               .name = std::move(name),
               .options = "depth 1,024, no times",
               .limits = {as_limit(std::move(one), where, Kind::cost)},
               .subject = std::move(many),
               .placement = limits::placement_of(where),
               .kind = Kind::cost,
               .aim = {.ratio = ratio}};
  };
  const std::vector<std::size_t> counts =
      extent == Extent::quick ? std::vector<std::size_t>{1, 64} : std::vector<std::size_t>{1, 4, 16, 64, 256};
  for (std::size_t count : counts) {
    rows.push_back(cost(fmt::format("to {} lossy that never look", count), publish_to_idle(1), publish_to_idle(count),
                        Where::alone, 1.1));
  }
  rows.push_back(
      cost("to 64 reliable that keep up", publish_to_reliable(1), publish_to_reliable(64), Where::across_cores, 1.5));
}

void add_creations(std::vector<Row>& rows) {
  struct Made {
    std::size_t bytes;
    std::uint32_t depth;
    Aim aim;
  };
  constexpr Aim beside_memory{.ratio = 1.5};
  for (const auto& [bytes, depth, aim] : {Made{40, 1024, {.nanoseconds = 300'000}}, Made{40, 65536, beside_memory},
                                          Made{mib, 8, beside_memory}, Made{mib, 64, beside_memory}}) {
    const std::uint64_t reserved = memory_of(bytes, depth);
    rows.push_back({.group = "from nothing to the first message",
                    .name = fmt::format("create, subscribe, send {}, depth {}", size_text(bytes), depth),
                    .options = fmt::format("{:.2f} MiB, spin, no times", static_cast<double>(reserved) / mib),
                    .limits = {as_limit(bare_memory(reserved), Where::across_cores, Kind::round_trip)},
                    .subject = create_and_send(bytes, depth),
                    .placement = limits::placement_of(Where::across_cores),
                    .kind = Kind::round_trip,
                    .aim = aim});
  }
}

}  // namespace

Row round_trip(const Traffic& traffic, Extent extent) {
  const bool asleep = traffic.subscriber.waiting == Waiting::sleep;
  return {.group = "there and back",
          .name = fmt::format("{}{} there and back", size_text(traffic.bytes), traffic.untouched ? " untouched" : ""),
          .options = options_text(traffic),
          .limits = asleep ? std::vector{limits::futexes(extent).front()} : limits_of_trip(traffic, extent),
          .subject = asleep ? there_and_back_asleep(traffic, Where::across_cores) : there_and_back(traffic),
          .placement = limits::placement_of(Where::across_cores),
          .kind = Kind::round_trip,
          .aim = asleep ? Aim{.ratio = traffic.bytes <= one_line ? 1.1 : 0} : aim_of_trip(traffic)};
}

Row one_way_row(const Traffic& traffic, Extent extent) {
  return {.group = "one way",
          .name = size_text(traffic.bytes) + " one way",
          .options = options_text(traffic),
          .limits = limits_of_stream(traffic, extent),
          .subject = one_way(traffic),
          .placement = limits::placement_of(Where::across_cores),
          .kind = Kind::one_way,
          .aim = aim_of_stream(traffic)};
}

std::vector<Row> all_rows(Extent extent) {
  std::vector<Row> rows;
  add_trips(rows, extent);
  add_streams(rows, extent);
  add_fan_outs(rows);
  add_sleepers(rows);
  add_costs(rows, extent);
  add_creations(rows);
  return rows;
}

}  // namespace topics
