#pragma once
/// What stands in the file of a channel, `channel.HASH` of its domain: rendezvous.hpp has the picture. Plain C, in the
/// machine's byte order: who shares a kernel's objects shares a machine.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenon {

inline constexpr std::string_view rendezvous_prefix = "channel.";
inline constexpr std::uint64_t rendezvous_magic = 0x315652444e455454;  // "TTENDRV1" in memory
inline constexpr std::uint32_t rendezvous_version = 1;
inline constexpr std::size_t rendezvous_records_at = 4096;
inline constexpr std::size_t most_rendezvous_records = 4096;

struct RendezvousHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t made;
  std::uint32_t uri_length;
  std::uint32_t reserved_word;
  std::uint64_t object;
  std::uint64_t reserved[4];
};
static_assert(sizeof(RendezvousHeader) == 64 && offsetof(RendezvousHeader, uri_length) == 16);
static_assert(offsetof(RendezvousHeader, object) == 24 && offsetof(RendezvousHeader, reserved) == 32);

struct RendezvousRecord {
  std::uint64_t token;
  std::uint32_t role;
  std::uint32_t state;
  std::uint32_t pid;
  std::uint32_t uid;
  std::int64_t joined;
  std::uint32_t receivers_gone;
  std::uint32_t reserved_word;
  std::uint64_t reserved[3];
};
static_assert(sizeof(RendezvousRecord) == 64 && offsetof(RendezvousRecord, joined) == 24);
static_assert(offsetof(RendezvousRecord, receivers_gone) == 32);

}  // namespace tenon
