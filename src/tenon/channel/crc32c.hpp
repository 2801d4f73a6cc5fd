#pragma once
/// CRC-32C (Castagnoli), as iSCSI and ext4 use it. RFC 3720, appendix B.4
#include <tenon/base/bytes.hpp>

#include <cstdint>

namespace tenon {

/// The checksum of `bytes`, going on from the checksum of what came before them (0 at the start).
std::uint32_t crc32c(Bytes bytes, std::uint32_t before = 0) noexcept;

namespace crc {
/// The same by table, for processors without the instruction: here to be tested against it.
std::uint32_t by_table(Bytes bytes, std::uint32_t before) noexcept;
}  // namespace crc

}  // namespace tenon
