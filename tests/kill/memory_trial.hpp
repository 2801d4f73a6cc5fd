#pragma once
/// A segment under the kill harness: whoever holds its lock dies, and the next finds what was before or what was to
/// come, nothing between, and no block that belongs to nobody.
#include "must.hpp"

#include <kit/kill_case.hpp>
#include <tenon/memory/segment.hpp>
#include <tenon/os/mapping.hpp>

#include <cstdint>
#include <memory>

namespace kill_cases {

/// A control: the survivors do not see what the journal, or the gap, holds.
enum class Survivors : unsigned char { undo, do_not_undo };

class MemoryTrial : public kit::KillTrial {
 public:
  explicit MemoryTrial(Survivors survivors, tenon::SegmentSize size = {.bytes = 16 * 1024});

  void operation() override;
  void survive() override;
  bool rival_may_wait() const override { return true; }
  std::uint64_t state() override;

 protected:
  /// What is killed, under the lock.
  virtual void change(tenon::LockedSegment& segment) = 0;
  /// Throws unless all is as before change() or as after it; returns how many blocks belong to somebody.
  virtual std::uint64_t look(tenon::LockedSegment& segment) = 0;
  /// Brings it back to before change(), so that the survivors can do it all again.
  virtual void change_back(tenon::LockedSegment& segment) = 0;

  const tenon::SegmentHeader& header() const { return *reinterpret_cast<const tenon::SegmentHeader*>(raw_.data()); }
  tenon::LockedSegment locked() { return segment_.lock(tenon::never).or_throw(); }

 private:
  void look_at_all(tenon::LockedSegment& segment);

  tenon::Segment segment_;
  tenon::Mapping raw_;
  Survivors survivors_;
};

/// The case of one such trial; it is a control if the survivors are kept from undoing.
template <class Trial>
kit::KillCase memory_case(const char* name, Survivors survivors) {
  return {.name = name,
          .make = [=] { return std::make_unique<Trial>(survivors); },
          .control = survivors == Survivors::do_not_undo};
}

}  // namespace kill_cases
