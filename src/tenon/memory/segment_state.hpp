#pragma once
/// What a process knows of a segment that it has mapped; what stands in the segment is not believed again and again.
///
/// All of it changes under the segment's lock alone, and is read there, but for how many bytes have memory behind them:
/// Segment::still_there asks without the lock, while another thread may grow the segment. B1 the file is longer →
/// store-release (set_backed) → load-acquire (backed) → fstat(2): the length found then is no less, unless somebody has
/// truncated it.
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/memory/arena.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/sync/mutex.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

namespace tenon {

static_assert(sizeof(Mutex) <= sizeof(SegmentHeader::lock) && alignof(Mutex) <= 64);

struct SegmentState {
  Mapping memory;          // of `most` bytes: what the segment grows by is there without a further map
  std::optional<Fd> file;  // System V memory has none
  std::uint64_t most;
  std::atomic<std::uint64_t> backed_bytes;  // so many have memory behind them, by the kernel's own count
  std::uint64_t size;                       // as it was when this process last looked
  std::string name;
  bool has_name = false;                // one in /dev/shm, which can be removed
  std::optional<SysvMemory> sysv = {};  // what has no file

  std::uint64_t backed() const noexcept {
    return backed_bytes.load(std::memory_order_acquire);  // B1
  }
  void set_backed(std::uint64_t bytes) noexcept {
    backed_bytes.store(bytes, std::memory_order_release);  // B1
  }

  SegmentHeader& header() const noexcept { return *reinterpret_cast<SegmentHeader*>(memory.data()); }
  Mutex& lock() const noexcept { return *reinterpret_cast<Mutex*>(header().lock); }
};

}  // namespace tenon
