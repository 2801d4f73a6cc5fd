#pragma once
/// What a process knows of a segment that it has mapped; what stands in the segment is not believed again and again.
#include <tenon/memory/arena.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/sync/mutex.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tenon {

static_assert(sizeof(Mutex) <= sizeof(SegmentHeader::lock) && alignof(Mutex) <= 64);

struct SegmentState {
  Mapping memory;          // of `most` bytes: what the segment grows by is there without a further map
  std::optional<Fd> file;  // System V memory has none
  std::uint64_t most;
  std::uint64_t backed;  // so many bytes have memory behind them, by the kernel's own count
  std::uint64_t size;    // as it was when this process last looked
  std::string name;
  bool has_name = false;  // one in /dev/shm, which can be removed

  SegmentHeader& header() const noexcept { return *reinterpret_cast<SegmentHeader*>(memory.data()); }
  Mutex& lock() const noexcept { return *reinterpret_cast<Mutex*>(header().lock); }
};

}  // namespace tenon
