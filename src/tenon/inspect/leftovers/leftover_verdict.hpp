#pragma once
/// What is said of something that the dead may have left behind, and why.
#include <cstdint>
#include <string>
#include <string_view>

namespace tenon::inspect {

enum class LeftoverVerdict : std::uint8_t {
  in_use,     ///< a living process has to do with it, or it goes by itself with its last holder
  left_over,  ///< nobody holds it, and who made it is known to be dead: it may go
  likely,     ///< all whom the kernel remembers are dead, but it keeps no list of holders
  unjudged,   ///< nobody is seen to hold it, and that is no proof
};
/// "in_use", "left_over", …
std::string_view name_of(LeftoverVerdict verdict) noexcept;

struct Judgement {
  LeftoverVerdict verdict;
  std::string proof;  ///< for people: what it rests on, or what it lacks
};

}  // namespace tenon::inspect
