// A sender is killed at every instruction of a put into slots of shared memory. What it put is wholly there or not at
// all, and once its death is known every slot is to be had again.
#include "../cases.hpp"
#include "../must.hpp"

#include <kit/state_hash.hpp>
#include <tenon/channel/slot_ring.hpp>
#include <tenon/os/mapping.hpp>

#include <array>
#include <string_view>

namespace kill_cases {

namespace {

using namespace tenon;

constexpr std::uint32_t slots = 2;
constexpr std::string_view text = "a frame of some bytes, longer than one store";
constexpr Token victim = Token::from(17);
constexpr Token survivor = Token::from(18);

class Put : public kit::KillTrial {
 public:
  Put() { SlotRing::initialise(memory_.bytes(), slots, text.size()); }

  void operation() override { (void)ring().put(victim, bytes_of(text)); }
  void rival() override { must(ring().put(survivor, bytes_of(text)), "a sender that stands still holds up another"); }
  std::uint64_t state() override { return kit::hash_of(memory_.bytes()); }

  void survive() override {
    SlotRing own = ring();
    own.reclaim(victim);
    own.reclaim(survivor);  // of a survivor that was killed at this
    drain(own);
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
      must(own.put(survivor, bytes_of(text)), "a slot is lost");
    }
    drain(own);
  }

 private:
  SlotRing ring() const { return SlotRing::open(memory_.bytes()).or_throw(); }
  static void drain(SlotRing& ring) {
    std::array<std::byte, text.size()> frame;
    for (auto size = ring.take(frame); !size.failed_with(Errc::would_block); size = ring.take(frame)) {
      must(size && text_of(Bytes(frame).first(*size)) == text, "a frame is torn");
    }
  }

  Mapping memory_ = Mapping::shared_with_children(SlotRing::bytes_for(slots, text.size())).or_throw();
};

}  // namespace

kit::KillCase slot_put() {
  return {.name = "slot put", .make = [] { return std::make_unique<Put>(); }};
}

}  // namespace kill_cases
