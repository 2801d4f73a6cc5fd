#pragma once
/// Near and far: what a cache line that is bounced between two processors tells of them.
#include <string_view>

namespace harness {

enum class Distance : unsigned char { none, near, far };
std::string_view name_of(Distance distance) noexcept;
/// Near up to 250 ns there and back, far beyond; none for 0, which stands for "not probed".
Distance distance_of(double nanoseconds) noexcept;

}  // namespace harness
