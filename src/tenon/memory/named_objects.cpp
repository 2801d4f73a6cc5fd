#include <tenon/memory/named_objects.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

namespace tenon {

namespace {

std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

std::uint64_t word_at(const char* text) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof(word));
  return word;
}

// Eight bytes at a time, the last eight overlapping, for it stands in the way of every find; little-endian, as all of
// the layout.
std::uint64_t hash_of_name(std::string_view name) noexcept {
  constexpr std::size_t step = sizeof(std::uint64_t);
  std::uint64_t hash = mixed(0, name.size());
  std::size_t at = 0;
  for (; at + step <= name.size(); at += step) {
    hash = mixed(hash, word_at(name.data() + at));
  }
  if (name.size() >= step) {
    return at == name.size() ? hash : mixed(hash, word_at(name.data() + name.size() - step));
  }
  std::uint64_t word = 0;
  for (const char character : name) {
    word = word << 8 | static_cast<unsigned char>(character);
  }
  return mixed(hash, word);
}

std::uint32_t loaded_size(const std::uint32_t& word) noexcept {
  // relaxed: the segment's lock orders it
  return std::atomic_ref(const_cast<std::uint32_t&>(word)).load(std::memory_order_relaxed);
}

Fail corrupt(std::string_view name) {
  return fail(Error(Errc::corrupt, "segment").on(name).because("the names of its objects lead astray"));
}

}  // namespace

// The heads of the lists as they stood when they were looked at.
struct NamedObjects::Lists {
  std::uint64_t* heads;
  std::uint64_t count;  // a power of two
  std::uint64_t side;

  std::uint64_t& of(std::uint64_t hash) const noexcept { return heads[hash & (count - 1)]; }
};

bool NamedObjects::look(Lists& lists) const noexcept {
  const std::uint64_t table = loaded(layout_->table);
  const std::uint64_t bits = loaded(layout_->bits);
  lists.side = loaded(layout_->side) & 1;
  if (table == 0) {
    lists.heads = layout_->first;
    lists.count = NamesLayout::first_lists;
    return true;
  }
  lists.count = std::uint64_t{1} << (bits & 31);
  lists.heads =
      reinterpret_cast<std::uint64_t*>(arena_.bytes(table, lists.count * sizeof(std::uint64_t), sizeof(std::uint64_t)));
  return lists.heads != nullptr;
}

std::string_view NamedObjects::text_at(std::uint64_t offset, std::uint64_t size) const noexcept {
  const std::byte* const text = size == 0 ? nullptr : arena_.bytes(offset, size, 1);
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text), size);
}

std::string_view NamedObjects::name_of(const NamedObjectLayout& object) const noexcept {
  const std::uint32_t size = loaded_size(object.name_size);
  return size > most_name_bytes ? std::string_view() : text_at(arena_.offset_of(&object + 1), size);
}

std::string_view NamedObjects::type_name_of(const NamedObjectLayout& object) const noexcept {
  const std::string_view name = name_of(object);
  const std::uint32_t size = loaded_size(object.type_name_size);
  return name.empty() || size > TypeText::capacity ? std::string_view()
                                                   : text_at(arena_.offset_of(&object + 1) + name.size(), size);
}

// No list has more objects than fit: who steps further goes in a circle.
std::uint64_t NamedObjects::most_steps() const noexcept {
  return std::min(loaded(layout_->count), arena_.size() / sizeof(NamedObjectLayout));
}

Result<void> NamedObjects::seek(std::string_view name, Place& place) const {
  if (name.empty() || name.size() > most_name_bytes) {
    return fail(Error(Errc::invalid_name, "segment").on(name).because("an object's name has 1 to 255 bytes"));
  }
  Lists lists;
  if (!look(lists)) {
    return corrupt(name);
  }
  place.hash = hash_of_name(name);
  std::uint64_t* const head = place.leads_here = &lists.of(place.hash);
  std::uint64_t budget = most_steps();
  for (std::uint64_t at = loaded(*head); at != 0; at = loaded(*place.leads_here)) {
    place.object = object_layout_at(at);
    if (place.object == nullptr || budget-- == 0) {
      return corrupt(name);
    }
    if (loaded(place.object->name_hash) == place.hash && name_of(*place.object) == name) {
      return {};
    }
    place.leads_here = &place.object->next[lists.side];
  }
  place.leads_here = head;
  place.object = nullptr;
  return {};
}

std::uint64_t NamedObjects::find_plainly(std::string_view name, const TypeDescription& type) const noexcept {
  Lists lists;
  if (!look(lists)) {
    return 0;
  }
  const std::uint64_t hash = hash_of_name(name);
  std::uint64_t budget = most_steps();
  for (std::uint64_t at = loaded(lists.of(hash)); at != 0 && budget-- > 0;) {
    const NamedObjectLayout* const object = object_layout_at(at);
    if (object == nullptr) {
      return 0;
    }
    if (loaded(object->name_hash) == hash && name_of(*object) == name) {
      const std::uint64_t offset = loaded(object->object);
      const bool right = loaded(object->type_hash) == type.hash && arena_.bytes(offset, type.size, type.alignment);
      return right ? offset : 0;
    }
    at = loaded(object->next[lists.side]);
  }
  return 0;
}

Result<std::uint64_t> NamedObjects::object_at(const Place& place, std::string_view name,
                                              const TypeDescription& type) const {
  const NamedObjectLayout& layout = *place.object;
  if (loaded(layout.type_hash) != type.hash) {
    const TypeDescription stored{
        .name = type_name_of(layout), .size = loaded(layout.type_size), .alignment = loaded(layout.type_alignment)};
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
  const std::uint64_t texts = sizeof(NamedObjectLayout) + name.size() + type.name.size();
  const std::uint64_t object = (texts + type.alignment - 1) & ~(type.alignment - 1);
  auto offset = allocator.allocate(object + type.size, type.alignment);
  if (!offset) {
    return fail(std::move(offset.error()).on(name));
  }
  const std::uint64_t next = loaded(*place.leads_here);
  const NamedObjectLayout layout{.next = {next, next},
                                 .name_hash = place.hash,
                                 .object = *offset + object,
                                 .type_hash = type.hash,
                                 .type_size = type.size,
                                 .type_alignment = type.alignment,
                                 .name_size = static_cast<std::uint32_t>(name.size()),
                                 .type_name_size = static_cast<std::uint32_t>(type.name.size())};
  std::byte* const block = arena_.base() + *offset;
  std::memcpy(block, &layout, sizeof(layout));
  std::memcpy(block + sizeof(layout), name.data(), name.size());
  std::memcpy(block + sizeof(layout) + name.size(), type.name.data(), type.name.size());
  journal.put(*place.leads_here, *offset);
  journal.put(layout_->count, loaded(layout_->count) + 1);
  return *offset + object;
}

Result<void> NamedObjects::remove(const Place& place, Allocator& allocator, Journal& journal) {
  journal.put(*place.leads_here, loaded(place.object->next[loaded(layout_->side) & 1]));
  journal.put(layout_->count, loaded(layout_->count) - 1);
  return allocator.free(arena_.offset_of(place.object));
}

bool NamedObjects::is_crowded() const noexcept {
  Lists lists;
  return look(lists) && loaded(layout_->count) > 2 * lists.count && lists.count < (std::uint64_t{1} << 31);
}

// False if a list leads astray, or in a circle. `each` may overwrite the links that are not in use.
template <class Each>
bool NamedObjects::for_each(Each each) const {
  Lists lists;
  std::uint64_t budget = most_steps();
  if (!look(lists)) {
    return false;
  }
  for (std::uint64_t list = 0; list < lists.count; ++list) {
    for (std::uint64_t at = loaded(lists.heads[list]); at != 0;) {
      NamedObjectLayout* const object = object_layout_at(at);
      if (object == nullptr || budget-- == 0) {
        return false;
      }
      each(*object, at);
      at = loaded(object->next[lists.side]);
    }
  }
  return true;
}

Result<void> NamedObjects::lengthen(Allocator& allocator, Journal& journal) {
  constexpr std::uint64_t growth_bits = 2;
  Lists old;
  if (!look(old)) {
    return corrupt("");
  }
  const std::uint64_t count = old.count << growth_bits;
  return allocator.allocate(count * sizeof(std::uint64_t), sizeof(std::uint64_t)).and_then([&](std::uint64_t table) {
    const Lists fresh{
        .heads = reinterpret_cast<std::uint64_t*>(arena_.base() + table), .count = count, .side = 1 - old.side};
    std::fill_n(fresh.heads, count, 0);
    const bool whole = for_each([&](NamedObjectLayout& object, std::uint64_t at) {
      std::uint64_t& head = fresh.of(loaded(object.name_hash));
      object.next[fresh.side] = head;
      head = at;
    });
    if (!whole) {
      return Result<void>(corrupt(""));
    }
    const std::uint64_t old_table = loaded(layout_->table);
    journal.put(layout_->table, table);
    journal.put(layout_->bits, static_cast<std::uint64_t>(std::countr_zero(count)));
    journal.put(layout_->side, fresh.side);
    return old_table == 0 ? Result<void>() : allocator.free(old_table);
  });
}

Result<std::vector<NamedObject>> NamedObjects::all() const {
  std::vector<NamedObject> objects;
  bool named = true;
  const bool whole = for_each([&](const NamedObjectLayout& object, std::uint64_t) {
    const std::string_view name = name_of(object);
    named = named && !name.empty();
    objects.push_back({.name = std::string(name),
                       .type = std::string(type_name_of(object)),
                       .size = loaded(object.type_size),
                       .offset = loaded(object.object)});
  });
  if (!whole || !named) {
    return corrupt("");
  }
  std::ranges::sort(objects, {}, &NamedObject::name);
  return objects;
}

}  // namespace tenon
