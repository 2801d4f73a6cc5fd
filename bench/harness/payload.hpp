#pragma once
/// The work on payloads, the same for every subject: the sender writes each word, the receiver reads each and checks.
///
/// Word i of message k holds k + i, so a message that was not written, or was overwritten, has another sum. All
/// payloads are whole words and aligned to them.
#include <tenon/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace harness {

/// Writes all words of message `k`. For payloads from some hundred bytes up, by vector instructions where there are.
void write_payload(tenon::MutableBytes payload, std::uint64_t k);
/// Reads all words of message `k`; throws std::runtime_error if they are not those written.
void check_payload(tenon::Bytes payload, std::uint64_t k);

/// For who receives from several: whichever number the message itself has, which is its first word.
inline constexpr std::uint64_t any_number = UINT64_MAX;
inline std::uint64_t number_of(tenon::Bytes payload, std::uint64_t expected) noexcept {
  if (expected == any_number) [[unlikely]] {
    std::memcpy(&expected, payload.data(), sizeof expected);
  }
  return expected;
}

/// The end of a benchmark whose subject delivered something else than was sent.
[[noreturn, gnu::cold]] void payload_differs(std::uint64_t k);

/// The sum of `words` words of message `k`.
constexpr std::uint64_t payload_sum(std::uint64_t k, std::uint64_t words) noexcept {
  return words * k + words * (words - 1) / 2;
}

/// The same for payloads of a few words whose number the compiler knows.
template <std::size_t words>
inline void write_words(std::uint64_t* payload, std::uint64_t k) noexcept {
  for (std::size_t i = 0; i < words; ++i) {
    payload[i] = k + i;
  }
}
template <std::size_t words>
inline void check_words(const std::uint64_t* payload, std::uint64_t k) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < words; ++i) {
    sum += payload[i];
  }
  if (sum != payload_sum(k, words)) [[unlikely]] {
    payload_differs(k);
  }
}

}  // namespace harness
