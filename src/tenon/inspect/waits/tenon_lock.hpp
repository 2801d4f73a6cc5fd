#pragma once
/// Tenon's own semaphores and barriers in shared memory, by the word of the bell that their users sleep on.
/// sync/semaphore.hpp, sync/barrier.hpp, sync/bell.hpp
///
/// Both remember, beside their bell, the directory of the domain whose members share them. That, and a field for each
/// that cannot be filled otherwise, is more than anything else has by chance. From the word of the bell on:
///
///                  0      4          8           16       24      32
///                 +------+----------+-----------+--------+-------+----
///                 | rung | sleepers | how many, | device | inode | …
///                 +------+----------+---–-------+--------+-------+----
///
///     a semaphore stands at a cache line, its bell first; its slots, a permit each, begin 64 bytes from it.
///     a barrier stands so too, its bell 8 bytes behind the word of the phase; its slots begin 120 bytes from that.
#include <tenon/inspect/waits/address_space.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace tenon::inspect {

struct TenonLock {
  enum class Kind : std::uint8_t { semaphore, barrier };
  Kind kind;
  std::uint64_t begin;                      ///< its address, in the waiter's memory
  FileId domain;                            ///< the directory
  std::vector<std::uint64_t> holders = {};  ///< tokens: of permits, one for each; or of who has not arrived
};

/// Nothing if it is neither. Nobody holds up a barrier for which somebody has yet to join.
std::optional<TenonLock> tenon_lock(const AddressSpace& memory, std::uint64_t word);

}  // namespace tenon::inspect
