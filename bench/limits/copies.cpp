// What a copy costs that cannot be avoided: hot, within the first caches, and cold, from memory to memory. memcpy(3)
#include <tenon/os/procfs.hpp>
#include <harness/table.hpp>
#include <limits/limit.hpp>
#include <limits/stepping_side.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

namespace limits {

namespace {

using tenon::MutableBytes;

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

// A copy whose result nobody reads could be left out.
inline void copy(std::byte* to, const std::byte* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
  asm volatile("" : : "r"(to) : "memory");
}

// Of the last level, as sysfs tells: "32768K".
std::size_t largest_cache() {
  std::size_t largest = 0;
  for (int index = 0; index < 8; ++index) {
    auto text = tenon::procfs::text("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size");
    std::size_t size = 0;
    if (text && std::from_chars(text->data(), text->data() + text->size(), size).ec == std::errc()) {
      largest = std::max(largest, size * kib);
    }
  }
  return largest;
}

// Twice what the caches hold, so that a place has left them when it is visited again.
std::size_t cold_area() { return std::clamp(std::bit_ceil(2 * largest_cache()), 64 * mib, 256 * mib); }

struct Hot {
  std::byte* to;
  const std::byte* from;
  std::size_t bytes;
  void step() const { copy(to, from, bytes); }
};

// Goes through source and target in leaps that no prefetcher follows and that visit every place once.
struct Cold {
  std::byte* to;
  const std::byte* from;
  std::size_t bytes;
  std::size_t places;  // a power of two, and `leap` is odd
  std::size_t leap;
  std::size_t at = 0;

  void step() {
    copy(to + at * bytes, from + at * bytes, bytes);
    at = (at + leap) & (places - 1);
  }
};

Limit limit_of(std::string name, std::size_t shared_bytes, std::size_t bytes, std::size_t lap, harness::Side side) {
  return {.family = "memcpy",
          .subject = {.name = std::move(name), .shared_bytes = shared_bytes, .sides = {std::move(side)}, .lap = lap},
          .where = Where::alone,
          .kind = Kind::cost,
          .payload_bytes = bytes};
}

Limit hot(std::size_t bytes) {
  auto end = [=](MutableBytes shared) { return Hot{shared.data(), shared.data() + bytes, bytes}; };
  return limit_of("memcpy, hot, " + harness::size_text(bytes), 2 * bytes, bytes, 1, stepping_side("copier", end));
}

Limit cold(std::size_t bytes) {
  const std::size_t area = cold_area();
  const std::size_t places = area / bytes;
  const std::size_t leap = places * 5 / 8 | 1;
  auto end = [=](MutableBytes shared) { return Cold{shared.data(), shared.data() + area, bytes, places, leap}; };
  return limit_of("memcpy, cold, " + harness::size_text(bytes), 2 * area, bytes, places, stepping_side("copier", end));
}

}  // namespace

std::vector<Limit> copies(Extent extent) {
  const std::vector<std::size_t> sizes = extent == Extent::quick
                                             ? std::vector<std::size_t>{64, 64 * kib, 4 * mib}
                                             : std::vector<std::size_t>{64, kib, 4 * kib, 64 * kib, mib, 4 * mib};
  std::vector<Limit> limits;
  std::ranges::transform(sizes, std::back_inserter(limits), hot);
  std::ranges::transform(sizes, std::back_inserter(limits), cold);
  return limits;
}

}  // namespace limits
