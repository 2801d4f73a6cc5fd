#include <topic/traffic.hpp>

#include <tenon/base/contract.hpp>
#include <limits/ring_subjects.hpp>
#include <topic/ends.hpp>

#include <algorithm>
#include <atomic>
#include <fmt/format.h>

namespace topics {

using harness::Subject;
using tenon::MutableBytes;

namespace {

// How many messages use all of a topic's memory once.
std::uint64_t lap_of(const Traffic& traffic) {
  return std::uint64_t{traffic.publisher.depth} + traffic.publisher.max_loans + traffic.publisher.held;
}

template <class T, Touch touch>
auto sides_of(const Traffic& traffic) {
  return limits::RingSides{
      start_bytes, lap_of(traffic), new_domain,
      [=](MutableBytes shared) {
        return Sender<T, touch>(std::make_shared<Member>(shared), traffic.publisher, traffic.bytes, 1);
      },
      [=](MutableBytes shared) { return Receiver<T, touch>(std::make_shared<Member>(shared), traffic.subscriber); }};
}

template <class T>
struct Type {};

// Calls `subject_of(Type<T>)` for the type that stands for this size.
template <class SubjectOf>
Subject of_size(std::size_t bytes, SubjectOf subject_of) {
  switch (bytes) {
    case sizeof(Bytes8):
      return subject_of(Type<Bytes8>());
    case sizeof(Bytes40):
      return subject_of(Type<Bytes40>());
    case sizeof(Bytes64):
      return subject_of(Type<Bytes64>());
    default:
      return subject_of(Type<tenon::Bytes>());
  }
}

// Calls `subject_of` with the sides of this traffic.
template <class SubjectOf>
Subject of_sides(const Traffic& traffic, SubjectOf subject_of) {
  if (traffic.untouched) {
    return subject_of(sides_of<tenon::Bytes, Touch::nothing>(traffic));
  }
  return of_size(traffic.bytes, [&]<class T>(Type<T>) { return subject_of(sides_of<T, Touch::all>(traffic)); });
}

// A loop over an end that does several steps by one call.
template <class T, class MakeEnd>
harness::Side batching_side(const std::string& name, std::size_t at_once, MakeEnd make_end) {
  return {.name = name, .start = [=](MutableBytes shared) -> harness::Loop {
            return [end = make_end(shared), room = std::vector<T>(at_once)](harness::Round& round) mutable {
              end.steps(round.operations(), room);
            };
          }};
}

template <class T>
Subject one_way_in_batches(const Traffic& traffic) {
  const auto sides = sides_of<T, Touch::all>(traffic);
  return {.name = "one way, in batches",
          .shared_bytes = sides.bytes,
          .sides = {batching_side<T>("sender", traffic.at_once, sides.make_sender),
                    batching_side<T>("receiver", traffic.at_once, sides.make_receiver)},
          .timed_side = 1,
          .lap = sides.lap,
          .prepare = sides.prepare};
}

// How far a subscriber of a fan-out has come, each on a line of its own behind the number of the start.
//   S1  store-release (the subscriber has read all of a block) → load-acquire (the publisher ends the block).
std::atomic_ref<std::uint64_t> standing(MutableBytes shared, std::size_t subscriber) {
  return std::atomic_ref(
      *reinterpret_cast<std::uint64_t*>(shared.data() + start_bytes + subscriber * tenon::cache_line));
}

harness::Loop publisher_of_many(MutableBytes shared, const Traffic& traffic, std::size_t subscribers) {
  return [=, sender = Sender<Bytes64>(std::make_shared<Member>(shared), traffic.publisher, traffic.bytes, subscribers),
          batch = std::vector<Bytes64>(traffic.at_once), sent = std::uint64_t{0}](harness::Round& round) mutable {
    sender.steps(round.operations(), batch);
    sent += round.operations();
    for (std::size_t i = 0; i < subscribers; ++i) {
      harness::spin_until([&] { return standing(shared, i).load(std::memory_order_acquire) == sent; });  // S1
    }
  };
}

harness::Loop subscriber_of_many(MutableBytes shared, const Traffic& traffic, std::size_t number) {
  constexpr std::size_t received_at_once = 256;
  return [=, receiver = Receiver<Bytes64>(std::make_shared<Member>(shared), traffic.subscriber),
          room = std::vector<Bytes64>(received_at_once)](harness::Round& round) mutable {
    if (traffic.subscriber.waiting == tenon::Waiting::spin) {
      receiver.polls(round.operations(), room);
    } else {
      receiver.steps(round.operations(), room);
    }
    standing(shared, number).store(receiver.received(), std::memory_order_release);  // S1
  };
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) {
    text.insert(at - 3, 1, ',');
  }
  return text;
}

const char* name_of(tenon::Waiting waiting) {
  return waiting == tenon::Waiting::spin ? "spin" : waiting == tenon::Waiting::sleep ? "sleep" : "adaptive";
}

const char* name_of(tenon::Timestamps times) {
  return times == tenon::Timestamps::none    ? "no times"
         : times == tenon::Timestamps::batch ? "one time a batch"
                                             : "exact times";
}

}  // namespace

std::string options_text(const Traffic& traffic) {
  return fmt::format("depth {}, {}, {}{}", with_commas(traffic.publisher.depth), name_of(traffic.subscriber.waiting),
                     name_of(traffic.publisher.timestamps),
                     traffic.at_once > 1 ? fmt::format(", batches of {}", traffic.at_once) : "");
}

Subject there_and_back(const Traffic& traffic) {
  return of_sides(traffic, [](auto sides) { return limits::there_and_back("topic", sides); });
}

Subject there_and_back_asleep(const Traffic& traffic, limits::Where where) {
  return of_sides(traffic, [=](auto sides) { return limits::there_and_back_asleep("topic", sides, where); });
}

Subject one_way(const Traffic& traffic) {
  if (traffic.at_once == 1) {
    return of_sides(traffic, [](auto sides) { return limits::one_way("topic", sides); });
  }
  tenon::expects(traffic.bytes == 8 || traffic.bytes == 40 || traffic.bytes == 64, "short messages go in batches");
  return traffic.bytes == 8    ? one_way_in_batches<Bytes8>(traffic)
         : traffic.bytes == 40 ? one_way_in_batches<Bytes40>(traffic)
                               : one_way_in_batches<Bytes64>(traffic);
}

Subject fan_out(const Traffic& traffic, std::size_t subscribers) {
  Subject subject{
      .name = "topic",
      .shared_bytes = start_bytes + subscribers * tenon::cache_line,
      .sides = {{.name = "publisher",
                 .start = [=](MutableBytes shared) { return publisher_of_many(shared, traffic, subscribers); }}},
      .lap = lap_of(traffic),
      .prepare = new_domain};
  for (std::size_t i = 0; i < subscribers; ++i) {
    subject.sides.push_back({.name = "subscriber " + std::to_string(i + 1),
                             .start = [=](MutableBytes shared) { return subscriber_of_many(shared, traffic, i); }});
  }
  return subject;
}

Traffic usual(std::size_t bytes, tenon::Waiting waiting) {
  Traffic traffic{.bytes = bytes,
                  .publisher = {.depth = 65536, .timestamps = tenon::Timestamps::none, .waiting = waiting},
                  .subscriber = {.waiting = waiting}};
  if (bytes > tenon::MessageEntry<13>::inline_bytes) {
    constexpr std::size_t beyond_second_level = std::size_t{4} << 20;
    constexpr std::size_t reused_at_once = std::size_t{512} << 10;
    const std::size_t depth =
        bytes >= reused_at_once ? 2 : std::clamp<std::size_t>(beyond_second_level / bytes, 2, 4096);
    traffic.publisher.depth = static_cast<std::uint32_t>(depth);
    traffic.publisher.longest = bytes;
    traffic.publisher.max_loans = 1;
    traffic.publisher.held = 1;
  } else {
    traffic.publisher.longest = bytes;
  }
  return traffic;
}

Traffic usual_trip(std::size_t bytes, tenon::Waiting waiting) {
  constexpr std::size_t long_message = std::size_t{64} << 10;
  constexpr std::size_t half_of_second_level = std::size_t{256} << 10;
  Traffic traffic = usual(bytes, waiting);
  const bool in_chunks = bytes > tenon::MessageEntry<13>::inline_bytes;
  traffic.publisher.depth = static_cast<std::uint32_t>(bytes >= long_message ? 1
                                                       : in_chunks           ? half_of_second_level / bytes
                                                                             : 1024);
  return traffic;
}

}  // namespace topics
