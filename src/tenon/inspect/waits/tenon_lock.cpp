#include <tenon/inspect/waits/tenon_lock.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace tenon::inspect {

namespace {

constexpr std::uint64_t cache_line = 64;

struct Shape {
  TenonLock::Kind kind;
  std::uint64_t bell_at;   // from its beginning
  std::uint64_t slots_at;  // likewise
  std::uint32_t most;      // slots
};
constexpr std::array shapes = {
    Shape{.kind = TenonLock::Kind::semaphore, .bell_at = 0, .slots_at = 64, .most = 64},
    Shape{.kind = TenonLock::Kind::barrier, .bell_at = 8, .slots_at = 128, .most = 32},
};

// What a bell and what stands behind it are in both.
struct Head {
  std::uint32_t rung;
  std::uint32_t sleepers;
  std::uint32_t count;
  std::uint32_t padding;
  std::uint64_t device;
  std::uint64_t inode;
};
static_assert(sizeof(Head) == 32);

bool fits(const Head& head, const Shape& shape) noexcept {
  constexpr std::uint32_t most_threads = 1U << 22;
  return head.sleepers > 0 && head.sleepers < most_threads && head.count > 0 && head.count <= shape.most &&
         head.padding == 0 && head.inode != 0;
}

// Those of a barrier's members that have arrived stand as bits in the word of its phase.
std::vector<std::uint64_t> holders_of(const Shape& shape, std::span<const std::uint64_t> slots, std::uint64_t phase) {
  constexpr std::uint64_t departed = 1;  // and 0: empty
  const bool barrier = shape.kind == TenonLock::Kind::barrier;
  const bool open = std::ranges::find(slots, 0U) != slots.end();
  std::vector<std::uint64_t> holders;
  for (std::size_t slot = 0; slot < slots.size() && !open; ++slot) {
    const bool arrived = barrier && (phase >> slot & 1) != 0;
    if (slots[slot] > departed && !arrived) {
      holders.push_back(slots[slot]);
    }
  }
  return holders;
}

std::optional<TenonLock> lock_of(const AddressSpace& memory, std::uint64_t word, const Shape& shape) {
  const std::uint64_t begin = word - shape.bell_at;
  const auto head = begin % cache_line == 0 ? memory.value<Head>(word) : std::nullopt;
  if (!head || !fits(*head, shape)) {
    return std::nullopt;
  }
  std::vector<std::uint64_t> slots(shape.most);
  const auto phase = memory.value<std::uint64_t>(begin);
  if (!phase || !memory.read(begin + shape.slots_at, std::as_writable_bytes(std::span(slots)))) {
    return std::nullopt;
  }
  const auto used = std::span(slots).first(head->count);
  if (std::ranges::any_of(std::span(slots).subspan(head->count), [](std::uint64_t slot) { return slot != 0; })) {
    return std::nullopt;
  }
  return TenonLock{.kind = shape.kind,
                   .begin = begin,
                   .domain = {.device = head->device, .inode = head->inode},
                   .holders = holders_of(shape, used, *phase)};
}

}  // namespace

std::optional<TenonLock> tenon_lock(const AddressSpace& memory, std::uint64_t word) {
  for (const Shape& shape : shapes) {
    if (auto found = lock_of(memory, word, shape)) {
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace tenon::inspect
