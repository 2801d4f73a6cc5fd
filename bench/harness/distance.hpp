#pragma once
/// How far apart two processors are, as a cache line that is bounced between them tells: a virtual machine's may be two
/// threads of one core at one time, two cores beside one cache at another, and far from each other at a third.
#include <string_view>

namespace harness {

enum class Distance : unsigned char { none, sibling, near, far };
std::string_view name_of(Distance distance) noexcept;
/// Siblings (threads of one core) below 90 ns there and back, near up to 250 ns, far beyond; none for 0, which stands
/// for "not probed".
Distance distance_of(double nanoseconds) noexcept;

}  // namespace harness
