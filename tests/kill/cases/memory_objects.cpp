// A segment is created, opened and given a named object by a process that is killed at every instruction of it.
#include "../memory_trial.hpp"

#include "../cases.hpp"

#include <kit/state_hash.hpp>
#include <kit/unique.hpp>

#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace kill_cases {

namespace {

using namespace tenon;

struct Pair {
  static constexpr std::string_view type_name = "kill.Pair";
  explicit Pair(std::uint64_t value) : one(value), other(~value) {}
  std::uint64_t one;
  std::uint64_t other;
};

class FindOrConstruct : public MemoryTrial {
 public:
  explicit FindOrConstruct(Survivors survivors) : MemoryTrial(survivors) {
    LockedSegment segment = locked();
    for (const char* name : {"alpha", "beta", "gamma"}) {
      segment.find_or_construct<Pair>(name, 1U).or_throw();
    }
  }

 protected:
  void change(LockedSegment& segment) override { segment.find_or_construct<Pair>("delta", 2U).or_throw(); }
  std::uint64_t look(LockedSegment& segment) override {
    for (const char* name : {"alpha", "beta", "gamma"}) {
      must(segment.find<Pair>(name).or_throw()->one == 1, "another object was touched");
    }
    if (auto made = segment.find<Pair>("delta")) {
      must((*made)->one == 2 && (*made)->other == ~std::uint64_t{2}, "an object is half-made");
    } else {
      must(made.failed_with(Errc::not_found), "a name leads to no object");
    }
    return 0;
  }
  void change_back(LockedSegment& segment) override {
    if (segment.find<Pair>("delta")) {
      segment.destroy<Pair>("delta").or_throw();
    }
  }
};

class Destroy : public FindOrConstruct {
 public:
  explicit Destroy(Survivors survivors) : FindOrConstruct(survivors) {
    LockedSegment segment = locked();
    segment.find_or_construct<Pair>("delta", 2U).or_throw();
  }

 protected:
  void change(LockedSegment& segment) override { segment.destroy<Pair>("delta").or_throw(); }
  void change_back(LockedSegment& segment) override { segment.find_or_construct<Pair>("delta", 2U).or_throw(); }
};

// One name more than the lists are good for: all objects are linked anew, by a longer table.
class LengthenNames : public MemoryTrial {
 public:
  explicit LengthenNames(Survivors survivors) : MemoryTrial(survivors, {.bytes = 24 * 1024}) {
    LockedSegment segment = locked();
    for (std::uint64_t i = 0; i < 2 * NamesLayout::first_lists; ++i) {
      segment.find_or_construct<Pair>(std::to_string(i), i).or_throw();
    }
  }

 protected:
  void change(LockedSegment& segment) override { segment.find_or_construct<Pair>("one more", 99U).or_throw(); }
  std::uint64_t look(LockedSegment& segment) override {
    for (std::uint64_t i = 0; i < 2 * NamesLayout::first_lists; ++i) {
      must(segment.find<Pair>(std::to_string(i)).or_throw()->one == i, "a name leads to another object");
    }
    return header().names.table == 0 ? 0 : 1;
  }
  void change_back(LockedSegment& segment) override {
    if (segment.find<Pair>("one more")) {
      segment.destroy<Pair>("one more").or_throw();
    }
  }
};

// By name, in /dev/shm: the one that is there is whole, whoever died making it, and there is never more than one.
class Create : public kit::KillTrial {
 public:
  ~Create() override { ::unlink(path().c_str()); }

  void operation() override { use(); }
  void survive() override {
    use();
    Segment segment = Segment::open(name_).or_throw();
    must(segment.lock(never).or_throw().check().has_value(), "a segment is half-made");
  }
  std::vector<std::string> leaked() override {
    std::vector<std::string> left;
    for (const std::string& name : kit::names_in("/dev/shm")) {
      if (name.starts_with(name_) && name != name_) {
        left.push_back(name);
      }
    }
    return left;
  }
  std::uint64_t state() override {
    struct stat status{};
    const bool there = ::stat(path().c_str(), &status) == 0;
    return there ? static_cast<std::uint64_t>(status.st_size) + 1 : 0;
  }
  bool changes_without_calls() const override { return false; }

 protected:
  void use() {
    Segment segment = Segment::open_or_create(name_, {.bytes = 16 * 1024}).or_throw();
    LockedSegment locked = segment.lock(never).or_throw();
    must(locked.find_or_construct<Pair>("one", 1U).or_throw()->one == 1, "an object is half-made");
  }

 private:
  std::string path() const { return "/dev/shm/" + name_; }
  std::string name_ = kit::unique_name("tenon-kill");
};

class Open : public Create {
 public:
  Open() { use(); }
};

}  // namespace

kit::KillCase memory_find_or_construct() {
  return memory_case<FindOrConstruct>("memory: find_or_construct", Survivors::undo);
}
kit::KillCase memory_destroy() { return memory_case<Destroy>("memory: destroy", Survivors::undo); }
kit::KillCase memory_lengthen_names() {
  return memory_case<LengthenNames>("memory: names lengthened", Survivors::undo);
}
kit::KillCase memory_lengthen_names_unjournalled() {
  return memory_case<LengthenNames>("memory: names lengthened, journal unread", Survivors::do_not_undo);
}
kit::KillCase memory_find_or_construct_unjournalled() {
  return memory_case<FindOrConstruct>("memory: find_or_construct, journal unread", Survivors::do_not_undo);
}
kit::KillCase memory_create() {
  return {.name = "memory: create", .make = [] { return std::make_unique<Create>(); }};
}
kit::KillCase memory_open() {
  return {.name = "memory: open", .make = [] { return std::make_unique<Open>(); }};
}

}  // namespace kill_cases
