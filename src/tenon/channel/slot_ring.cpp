#include <tenon/channel/slot_ring.hpp>

#include <tenon/base/contract.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace tenon {

namespace {

constexpr std::uint64_t ring_magic = 0x31474e49524e4e54;  // "TNNRING1" in memory
constexpr std::uint32_t ring_version = 1;
constexpr std::size_t first_slot = 4096;
constexpr std::uint32_t most_slots = 65536;
constexpr std::size_t most_frame_bytes = std::size_t{1} << 24;

constexpr std::size_t stride(std::size_t frame_bytes) noexcept {
  constexpr std::size_t line = 64;
  return sizeof(SlotHeader) + (frame_bytes + line - 1) / line * line;
}

// What is checked must be what is used, though others write it meanwhile; a plain access may be made twice.
template <class Word>
Word loaded_once(Word& shared) noexcept {
  return std::atomic_ref(shared).load(std::memory_order_relaxed);  // written before anybody else saw the memory
}

}  // namespace

std::size_t SlotRing::bytes_for(std::uint32_t slots, std::size_t frame_bytes) noexcept {
  return first_slot + slots * stride(frame_bytes);
}

void SlotRing::initialise(MutableBytes memory, std::uint32_t slots, std::size_t frame_bytes) noexcept {
  expects(memory.size() >= bytes_for(slots, frame_bytes), "a ring needs its memory");
  auto& header = *reinterpret_cast<SlotRingHeader*>(memory.data());
  header.version = ring_version;
  header.slots = slots;
  header.frame_bytes = frame_bytes;
  header.magic = ring_magic;
}

Result<SlotRing> SlotRing::open(MutableBytes memory) {
  SlotRingHeader* const header = reinterpret_cast<SlotRingHeader*>(memory.data());
  if (memory.size() < first_slot || loaded_once(header->magic) != ring_magic) {
    return fail(Error(Errc::wrong_kind, "channel").because("the memory is not a channel's"));
  }
  if (const std::uint32_t version = loaded_once(header->version); version != ring_version) {
    return fail(Error(Errc::version_mismatch, "channel")
                    .because("the memory has layout version " + std::to_string(version) + ", this program " +
                             std::to_string(ring_version)));
  }
  const std::uint32_t slots = loaded_once(header->slots);
  const std::uint64_t frame_bytes = loaded_once(header->frame_bytes);
  const bool possible = slots > 0 && slots <= most_slots && frame_bytes > 0 && frame_bytes <= most_frame_bytes;
  if (!possible || bytes_for(slots, frame_bytes) > memory.size()) {
    return fail(Error(Errc::corrupt, "channel").because("the memory says that it has more slots than fit into it"));
  }
  // relaxed: any ticket that was drawn lately will do to count from
  return SlotRing(memory, slots, frame_bytes, header->tickets.load(std::memory_order_relaxed));
}

std::byte* SlotRing::place(std::uint32_t slot) const noexcept {
  return memory_.data() + first_slot + slot * stride(frame_bytes_);
}

// relaxed: a sender's own tickets ascend in the order in which it draws them. 0 marks a frame that is not whole.
std::uint64_t SlotRing::draw_ticket() noexcept {
  std::uint64_t ticket = 0;
  while (ticket == 0) {
    // relaxed: as above
    ticket = header().tickets.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  return ticket;
}

bool SlotRing::put(Token owner, Bytes frame) noexcept {
  expects(frame.size() <= frame_bytes_, "a frame fits into a slot");
  for (std::uint32_t looked = 0; looked < slots_; ++looked) {
    const std::uint32_t at = (next_ + looked) % slots_;
    SlotHeader& claimed = slot(at);
    std::uint64_t nobody_yet = 0;
    if (!claimed.owner.compare_exchange_strong(nobody_yet, owner.value(), std::memory_order_acquire,  // S1
                                               std::memory_order_relaxed)) {  // relaxed: nothing is read of another's
      continue;
    }
    std::ranges::copy(frame, place(at) + sizeof(SlotHeader));
    // relaxed: S2 publishes it
    claimed.length.store(static_cast<std::uint32_t>(frame.size()), std::memory_order_relaxed);
    claimed.ticket.store(draw_ticket(), std::memory_order_release);  // S2: the frame is whole
    next_ = at + 1;
    return true;
  }
  return false;
}

// A look takes time, in which frames arrive behind it and before it: a later one of a sender may be seen whose earlier
// one was not there yet when its slot was passed. By the time the later one was there so was the earlier, and the next
// look sees it. So the oldest is known when a look finds nothing older than the one before.
std::optional<SlotRing::Found> SlotRing::find_oldest() const noexcept {
  // Those in the slots were drawn within far fewer than 2^63 of the last one taken, some of them before it.
  const std::uint64_t start = last_taken_ - (std::uint64_t{1} << 63U);
  std::optional<Found> oldest;
  std::optional<std::uint64_t> before;
  do {
    before = oldest ? std::optional(oldest->ticket) : std::nullopt;
    for (std::uint32_t at = 0; at < slots_; ++at) {
      const std::uint64_t ticket = slot(at).ticket.load(std::memory_order_acquire);  // S2
      if (ticket != 0 && (!oldest || ticket - start < oldest->ticket - start)) {
        oldest = Found{.slot = at, .ticket = ticket};
      }
    }
  } while (oldest && oldest->ticket != before);
  return oldest;
}

void SlotRing::free(SlotHeader& slot) noexcept {
  slot.ticket.store(0, std::memory_order_relaxed);  // S1 below orders it
  slot.owner.store(0, std::memory_order_release);   // S1: all that was read of it has been
}

Result<std::size_t> SlotRing::take(MutableBytes into) noexcept {
  const std::optional<Found> oldest = find_oldest();
  if (!oldest) {
    return Result<std::size_t>(std::unexpect, Errc::would_block, "take");
  }
  last_taken_ = oldest->ticket;
  SlotHeader& taken = slot(oldest->slot);
  // relaxed: published by S2; loaded once, for whoever may write it may change it after it was checked
  const std::uint32_t length = taken.length.load(std::memory_order_relaxed);
  if (length > frame_bytes_) {
    free(taken);
    return fail(Error(Errc::corrupt, "receive").because("a slot says that its frame is longer than the slot"));
  }
  std::memcpy(into.data(), place(oldest->slot) + sizeof(SlotHeader), length);
  free(taken);
  return length;
}

std::vector<Token> SlotRing::unfinished() const {
  std::vector<Token> owners;
  for (std::uint32_t at = 0; at < slots_; ++at) {
    // relaxed: a guess, which reclaim() looks at again
    const std::uint64_t owner = slot(at).owner.load(std::memory_order_relaxed);
    if (owner != 0 && slot(at).ticket.load(std::memory_order_relaxed) == 0) {  // relaxed: likewise
      owners.push_back(Token::from(owner));
    }
  }
  return owners;
}

std::size_t SlotRing::reclaim(Token dead) noexcept {
  std::size_t freed = 0;
  for (std::uint32_t at = 0; at < slots_; ++at) {
    // relaxed: the dead change nothing any more
    if (slot(at).owner.load(std::memory_order_relaxed) == dead.value() &&
        slot(at).ticket.load(std::memory_order_relaxed) == 0) {  // relaxed: likewise
      free(slot(at));
      ++freed;
    }
  }
  return freed;
}

}  // namespace tenon
