#pragma once
/// A System V key for memory, and whatever segment has it in the end is taken away with it. shmget(2)
#include <tenon/os/sysv_key.hpp>

#include <kit/unique.hpp>

#include <sys/ipc.h>
#include <sys/shm.h>

namespace kit {

/// A key that nobody else has.
struct SegmentKey {
  SegmentKey() = default;
  ~SegmentKey() {
    if (const int id = ::shmget(key.value(), 0, 0); id != -1) {
      ::shmctl(id, IPC_RMID, nullptr);
    }
  }
  SegmentKey(const SegmentKey&) = delete;
  SegmentKey& operator=(const SegmentKey&) = delete;

  bool exists() const { return ::shmget(key.value(), 0, 0) != -1; }
  tenon::SysvKey key = unique_key();
};

}  // namespace kit
