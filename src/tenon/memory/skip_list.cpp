#include <tenon/memory/skip_list.hpp>

namespace tenon {

namespace {

// xorshift64*: which levels nodes have must not depend on their keys, and no more.
std::uint64_t stepped(std::uint64_t seed) noexcept {
  seed = seed == 0 ? 0x9e3779b97f4a7c15 : seed;
  seed ^= seed >> 12;
  seed ^= seed << 25;
  return seed ^ (seed >> 27);
}

}  // namespace

std::uint64_t SkipList::next_levels() const noexcept {
  const std::uint64_t random = stepped(loaded(layout_->seed)) * 0x2545f4914f6cdd1d >> 32;
  const auto levels = static_cast<std::uint64_t>(std::countr_zero(random | (std::uint64_t{1} << 32))) / 2 + 1;
  return std::min<std::uint64_t>(levels, SkipListLayout::levels);
}

void SkipList::link(std::uint64_t offset, std::uint64_t levels, const SkipPath& path, Journal& journal) noexcept {
  auto* const node = reinterpret_cast<std::uint64_t*>(arena_.base() + offset);
  node[0] = levels;
  for (std::uint64_t level = 0; level < levels; ++level) {
    node[1 + level] = loaded(*path.links[level]);
    journal.put(*path.links[level], offset);
  }
  journal.put(layout_->count, count() + 1);
  journal.put(layout_->seed, stepped(loaded(layout_->seed)));
}

bool SkipList::unlink(const Node& node, const SkipPath& path, Journal& journal) noexcept {
  for (std::uint64_t level = 0; level < node.levels; ++level) {
    if (loaded(*path.links[level]) != node.offset) {
      return false;
    }
    journal.put(*path.links[level], loaded(node.links[level]));
  }
  journal.put(layout_->count, count() - 1);
  return true;
}

bool SkipList::replace(const Node& node, std::uint64_t offset, const SkipPath& path, Journal& journal) noexcept {
  auto* const fresh = reinterpret_cast<std::uint64_t*>(arena_.base() + offset);
  fresh[0] = node.levels;
  for (std::uint64_t level = 0; level < node.levels; ++level) {
    if (loaded(*path.links[level]) != node.offset) {
      return false;
    }
    fresh[1 + level] = loaded(node.links[level]);
    journal.put(*path.links[level], offset);
  }
  return true;
}

}  // namespace tenon
