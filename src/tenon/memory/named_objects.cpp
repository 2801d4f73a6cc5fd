#include <tenon/memory/named_objects.hpp>

#include <algorithm>
#include <cstring>

namespace tenon {

namespace {

const NamedObjectLayout& layout_of(const SkipList::Node& node) noexcept {
  return *reinterpret_cast<const NamedObjectLayout*>(node.entry);
}

// Eight bytes at a time, for it stands in the way of every find; little-endian, as all of the layout.
std::uint64_t hash_of_name(std::string_view name) noexcept {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15;
  std::uint64_t hash = name.size() * factor;
  while (!name.empty()) {
    std::uint64_t word = 0;
    const std::size_t part = std::min(name.size(), sizeof(word));
    std::memcpy(&word, name.data(), part);
    hash = (hash ^ word) * factor;
    hash ^= hash >> 32;
    name.remove_prefix(part);
  }
  return hash;
}

std::uint32_t loaded_size(const std::uint32_t& word) noexcept {
  // relaxed: the segment's lock orders it
  return std::atomic_ref(const_cast<std::uint32_t&>(word)).load(std::memory_order_relaxed);
}

}  // namespace

std::string_view NamedObjects::text_at(std::uint64_t offset, std::uint64_t size) const noexcept {
  const std::byte* const text = size == 0 ? nullptr : arena_.bytes(offset, size, 1);
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text), size);
}

std::string_view NamedObjects::name_of(const SkipList::Node& node) const noexcept {
  return text_at(arena_.offset_of(node.entry) + sizeof(NamedObjectLayout), loaded_size(layout_of(node).name_size));
}

std::string_view NamedObjects::type_name_of(const SkipList::Node& node) const noexcept {
  const std::uint64_t name_end =
      arena_.offset_of(node.entry) + sizeof(NamedObjectLayout) + loaded_size(layout_of(node).name_size);
  return text_at(name_end, loaded_size(layout_of(node).type_name_size));
}

Fail NamedObjects::corrupt(std::string_view name) const {
  return fail(Error(Errc::corrupt, "segment").on(name).because("the names of its objects lead astray"));
}

Result<void> NamedObjects::seek(std::string_view name, Place& place) const {
  if (name.empty() || name.size() > most_name_bytes) {
    return fail(Error(Errc::invalid_name, "segment").on(name).because("an object's name has 1 to 255 bytes"));
  }
  place.hash = hash_of_name(name);
  const auto is_before = [&](const SkipList::Node& node) {
    const std::uint64_t hash = loaded(layout_of(node).name_hash);
    return hash != place.hash ? hash < place.hash : name_of(node) < name;
  };
  std::uint64_t found = 0;
  if (!list_.seek(is_before, place.path, found)) {
    return corrupt(name);
  }
  place.node = found == 0 ? SkipList::Node{} : list_.node_at(found);
  if (found != 0 && place.node.links == nullptr) {
    return corrupt(name);
  }
  if (found != 0 && (loaded(layout_of(place.node).name_hash) != place.hash || name_of(place.node) != name)) {
    place.node = {};
  }
  return {};
}

Result<std::uint64_t> NamedObjects::object_at(const Place& place, std::string_view name,
                                              const TypeDescription& type) const {
  const NamedObjectLayout& layout = layout_of(place.node);
  if (loaded(layout.type_hash) != type.hash) {
    const TypeDescription stored{
        .name = type_name_of(place.node), .size = loaded(layout.type_size), .alignment = loaded(layout.type_alignment)};
    return fail(Error(Errc::type_mismatch, "segment")
                    .on(name)
                    .because("it is of type " + stored.text() + ", not " + type.text()));
  }
  const std::uint64_t object = loaded(layout.object);
  if (arena_.bytes(object, type.size, type.alignment) == nullptr) {
    return corrupt(name);
  }
  return object;
}

Result<std::uint64_t> NamedObjects::add(const Place& place, std::string_view name, const TypeDescription& type,
                                        Allocator& allocator, Journal& journal) {
  const std::uint64_t levels = list_.next_levels();
  const std::uint64_t texts = list_.entry_at(levels) + sizeof(NamedObjectLayout);
  const std::uint64_t object = (texts + name.size() + type.name.size() + type.alignment - 1) & ~(type.alignment - 1);
  auto offset = allocator.allocate(object + type.size, type.alignment);
  if (!offset) {
    return fail(std::move(offset.error()).on(name));
  }
  std::byte* const node = arena_.base() + *offset;
  const NamedObjectLayout layout{.name_hash = place.hash,
                                 .object = *offset + object,
                                 .type_hash = type.hash,
                                 .type_size = type.size,
                                 .type_alignment = type.alignment,
                                 .name_size = static_cast<std::uint32_t>(name.size()),
                                 .type_name_size = static_cast<std::uint32_t>(type.name.size())};
  std::memcpy(node + list_.entry_at(levels), &layout, sizeof(layout));
  std::memcpy(node + texts, name.data(), name.size());
  std::memcpy(node + texts + name.size(), type.name.data(), type.name.size());
  list_.link(*offset, levels, place.path, journal);
  return *offset + object;
}

Result<void> NamedObjects::remove(const Place& place, Allocator& allocator, Journal& journal) {
  if (!list_.unlink(place.node, place.path, journal)) {
    return corrupt(name_of(place.node));
  }
  return allocator.free(place.node.offset);
}

Result<std::vector<NamedObject>> NamedObjects::all() const {
  std::vector<NamedObject> objects;
  std::uint64_t budget = list_.most_steps();
  for (std::uint64_t at = list_.first(); at != 0;) {
    const SkipList::Node node = list_.node_at(at);
    if (node.links == nullptr || budget-- == 0) {
      return corrupt("");
    }
    objects.push_back({.name = std::string(name_of(node)),
                       .type = std::string(type_name_of(node)),
                       .size = loaded(layout_of(node).type_size),
                       .offset = loaded(layout_of(node).object)});
    at = loaded(node.links[0]);
  }
  std::ranges::sort(objects, {}, &NamedObject::name);
  return objects;
}

}  // namespace tenon
