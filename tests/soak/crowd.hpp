#pragma once
/// Crashes and restarts, and a crowd: what they leave behind, and what they cost whoever joins.
#include <cstdint>

namespace soak {

/// So many processes join a topic, one after the other, and are killed at any moment, beside a publisher and a
/// subscriber that stay. Then names, descriptors, maps and bytes are as they were. Prints what it did; false if not.
bool run_cycles(std::uint64_t cycles, std::uint64_t seed);

struct CrowdSize {
  std::uint32_t topics;
  std::uint32_t processes;
  std::uint32_t endpoints;  ///< publishers, and subscribers, of one topic
};
/// So many topics with a publisher and a subscriber each, in so many processes, and what one more that joins takes;
/// then one topic with so many subscribers, and one with so many publishers. Prints figures; false if a message is
/// missing.
bool run_crowd(const CrowdSize& size);

}  // namespace soak
