#include <tenon/channel/crc32c.hpp>

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace tenon {

namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;  // reflected
using Table = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b] is what byte b contributes from k bytes further back, so that eight bytes take eight independent
// look-ups.
constexpr Table make_tables() {
  Table tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? polynomial : 0);
    }
    tables[0][byte] = value;
  }
  for (std::size_t back = 1; back < tables.size(); ++back) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t nearer = tables[back - 1][byte];
      tables[back][byte] = (nearer >> 8) ^ tables[0][nearer & 0xff];
    }
  }
  return tables;
}

constexpr Table tables = make_tables();

std::uint64_t eight_bytes(const std::byte* at) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);  // the formats are little-endian, as are the machines Tenon runs on
  return value;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(Bytes bytes, std::uint32_t before) noexcept {
  std::uint64_t value = ~before;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    value = _mm_crc32_u64(value, eight_bytes(at));
  }
  auto last = static_cast<std::uint32_t>(value);
  for (; left > 0; --left, ++at) {
    last = _mm_crc32_u8(last, static_cast<std::uint8_t>(*at));
  }
  return ~last;
}
#endif

}  // namespace

std::uint32_t crc::by_table(Bytes bytes, std::uint32_t before) noexcept {
  std::uint32_t value = ~before;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    const std::uint64_t next = eight_bytes(at) ^ value;
    value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      value ^= tables[7 - i][(next >> (8 * i)) & 0xff];
    }
  }
  for (; left > 0; --left, ++at) {
    value = (value >> 8) ^ tables[0][(value ^ static_cast<std::uint8_t>(*at)) & 0xff];
  }
  return ~value;
}

std::uint32_t crc32c(Bytes bytes, std::uint32_t before) noexcept {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) {
    return by_instruction(bytes, before);
  }
#endif
  return crc::by_table(bytes, before);
}

}  // namespace tenon
