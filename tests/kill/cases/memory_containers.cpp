// Containers of a segment are changed by a process that is killed at every instruction of it. Controls: survivors to
// whom the journal and the gap say nothing.
#include "../memory_trial.hpp"

#include "../cases.hpp"

#include <tenon/memory/map.hpp>
#include <tenon/memory/vector.hpp>

#include <algorithm>
#include <cstdint>
#include <span>

namespace kill_cases {

namespace {

using namespace tenon;

// Longer than a store, so that one may be half-written.
struct Element {
  static constexpr std::string_view type_name = "kill.Element";
  std::uint64_t value;
  std::uint64_t again;
  std::uint64_t other;
  bool operator==(std::uint64_t wanted) const { return value == wanted && again == wanted && other == ~wanted; }
  static Element of(std::uint64_t value) { return {value, value, ~value}; }
};

using Elements = Vector<Element>;
using Numbers = Map<std::uint64_t, Element>;

// 10, 20, 30 … before, one more or one less behind.
class VectorTrial : public MemoryTrial {
 public:
  VectorTrial(Survivors survivors, std::uint64_t room) : MemoryTrial(survivors) {
    LockedSegment segment = locked();
    Elements& vector = *segment.find_or_construct<Elements>("vector").or_throw();
    vector.reserve(segment, room).or_throw();
    for (std::uint64_t value = 10; value <= 50; value += 10) {
      vector.push_back(segment, Element::of(value)).or_throw();
    }
  }

 protected:
  static Elements& vector_in(LockedSegment& segment) { return *segment.find<Elements>("vector").or_throw(); }
  static std::span<Element> all(LockedSegment& segment) { return vector_in(segment).elements(segment).or_throw(); }
  static bool is(std::span<Element> elements, std::initializer_list<std::uint64_t> wanted) {
    return std::equal(elements.begin(), elements.end(), wanted.begin(), wanted.end());
  }
  // Its block is its only one.
  std::uint64_t look(LockedSegment& segment) override {
    must(is(all(segment), {10, 20, 30, 40, 50}) || is_changed(all(segment)), "elements are torn, lost or doubled");
    return 1;
  }
  virtual bool is_changed(std::span<Element> elements) = 0;
};

class PushBack : public VectorTrial {
 public:
  explicit PushBack(Survivors survivors) : VectorTrial(survivors, 5) {}  // full: it moves to a longer block

 protected:
  void change(LockedSegment& segment) override { vector_in(segment).push_back(segment, Element::of(60)).or_throw(); }
  bool is_changed(std::span<Element> elements) override { return is(elements, {10, 20, 30, 40, 50, 60}); }
  void change_back(LockedSegment& segment) override {
    if (all(segment).size() == 6) {
      vector_in(segment).erase(segment, 5).or_throw();
    }
  }
};

class Insert : public VectorTrial {
 public:
  explicit Insert(Survivors survivors) : VectorTrial(survivors, 8) {}

 protected:
  void change(LockedSegment& segment) override { vector_in(segment).insert(segment, 1, Element::of(15)).or_throw(); }
  bool is_changed(std::span<Element> elements) override { return is(elements, {10, 15, 20, 30, 40, 50}); }
  void change_back(LockedSegment& segment) override {
    if (all(segment).size() == 6) {
      vector_in(segment).erase(segment, 1).or_throw();
    }
  }
};

class Erase : public VectorTrial {
 public:
  explicit Erase(Survivors survivors) : VectorTrial(survivors, 8) {}

 protected:
  void change(LockedSegment& segment) override { vector_in(segment).erase(segment, 1).or_throw(); }
  bool is_changed(std::span<Element> elements) override { return is(elements, {10, 30, 40, 50}); }
  void change_back(LockedSegment& segment) override {
    if (all(segment).size() == 4) {
      vector_in(segment).insert(segment, 1, Element::of(20)).or_throw();
    }
  }
};

class Set : public VectorTrial {
 public:
  explicit Set(Survivors survivors) : VectorTrial(survivors, 8) {}

 protected:
  void change(LockedSegment& segment) override { vector_in(segment).set(segment, 2, Element::of(35)).or_throw(); }
  bool is_changed(std::span<Element> elements) override { return is(elements, {10, 20, 35, 40, 50}); }
  void change_back(LockedSegment& segment) override { vector_in(segment).set(segment, 2, Element::of(30)).or_throw(); }
};

class MapTrial : public MemoryTrial {
 public:
  explicit MapTrial(Survivors survivors) : MemoryTrial(survivors) {
    LockedSegment segment = locked();
    Numbers& map = *segment.find_or_construct<Numbers>("map").or_throw();
    for (const std::uint64_t key : {10U, 20U, 40U, 50U}) {
      map.insert(segment, key, Element::of(key)).or_throw();
    }
  }

 protected:
  static Numbers& map_in(LockedSegment& segment) { return *segment.find<Numbers>("map").or_throw(); }
  // As many blocks as entries; the four are there whatever becomes of the fifth.
  std::uint64_t look(LockedSegment& segment) override {
    std::uint64_t count = 0;
    std::uint64_t last = 0;
    map_in(segment)
        .for_each(segment,
                  [&](std::uint64_t key, const Element& value) {
                    must(key > last, "keys are out of order");
                    must(value == key, "an entry is torn");
                    last = key;
                    ++count;
                  })
        .or_throw();
    must(count == map_in(segment).size(), "the count is wrong");
    const bool has_30 = map_in(segment).find(segment, 30).has_value();
    must(count == (has_30 ? 5U : 4U), "an entry is lost");
    return count;
  }
};

class MapInsert : public MapTrial {
 public:
  using MapTrial::MapTrial;

 protected:
  void change(LockedSegment& segment) override { map_in(segment).insert(segment, 30, Element::of(30)).or_throw(); }
  void change_back(LockedSegment& segment) override {
    [[maybe_unused]] const auto gone = map_in(segment).erase(segment, 30);
  }
};

class MapErase : public MapTrial {
 public:
  explicit MapErase(Survivors survivors) : MapTrial(survivors) {
    LockedSegment segment = locked();
    map_in(segment).insert(segment, 30, Element::of(30)).or_throw();
  }

 protected:
  void change(LockedSegment& segment) override { map_in(segment).erase(segment, 30).or_throw(); }
  void change_back(LockedSegment& segment) override {
    map_in(segment).insert_or_assign(segment, 30, Element::of(30)).or_throw();
  }
};

}  // namespace

kit::KillCase memory_vector_push() { return memory_case<PushBack>("memory: vector push_back", Survivors::undo); }
kit::KillCase memory_vector_insert() { return memory_case<Insert>("memory: vector insert", Survivors::undo); }
kit::KillCase memory_vector_erase() { return memory_case<Erase>("memory: vector erase", Survivors::undo); }
kit::KillCase memory_vector_set() { return memory_case<Set>("memory: vector set", Survivors::undo); }
kit::KillCase memory_map_insert() { return memory_case<MapInsert>("memory: map insert", Survivors::undo); }
kit::KillCase memory_map_erase() { return memory_case<MapErase>("memory: map erase", Survivors::undo); }
kit::KillCase memory_vector_push_unjournalled() {
  return memory_case<PushBack>("memory: vector push_back, journal unread", Survivors::do_not_undo);
}
kit::KillCase memory_vector_erase_ungapped() {
  return memory_case<Erase>("memory: vector erase, gap unread", Survivors::do_not_undo);
}
kit::KillCase memory_map_insert_unjournalled() {
  return memory_case<MapInsert>("memory: map insert, journal unread", Survivors::do_not_undo);
}
kit::KillCase memory_map_erase_unjournalled() {
  return memory_case<MapErase>("memory: map erase, journal unread", Survivors::do_not_undo);
}

}  // namespace kill_cases
