#include <cells/cell.hpp>

#include <array>

namespace cells {

std::string_view name_of(Pattern pattern) noexcept {
  constexpr std::array<std::string_view, 7> names{"roundtrip",     "oneway", "fanout", "fanin",
                                                  "first message", "queued", "backlog"};
  return names.at(static_cast<std::size_t>(pattern));
}

std::string_view name_of(Wait wait) noexcept {
  constexpr std::array<std::string_view, 4> names{"spin", "adaptive", "sleep", "poll"};
  return names.at(static_cast<std::size_t>(wait));
}

std::string_view name_of(Place place) noexcept {
  constexpr std::array<std::string_view, 3> names{"one core", "near", "far"};
  return names.at(static_cast<std::size_t>(place));
}

}  // namespace cells
