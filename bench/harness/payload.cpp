#include <harness/payload.hpp>

#include <tenon/base/contract.hpp>

#include <stdexcept>
#include <string>

namespace harness {

namespace {

constexpr std::size_t lanes = 4;
using Words = std::uint64_t __attribute__((vector_size(lanes * 8), may_alias, aligned(8)));

[[gnu::always_inline]] inline void write_all(std::uint64_t* words, std::size_t count, std::uint64_t k) {
  Words value = {k, k + 1, k + 2, k + 3};
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    for (std::size_t part = 0; part < 4; ++part) {
      *reinterpret_cast<Words*>(words + i + part * lanes) = value;
      value += lanes;
    }
  }
  for (; i < count; ++i) {
    words[i] = k + i;
  }
}

// Four sums, so that no addition waits for the one before.
[[gnu::always_inline]] inline std::uint64_t sum_all(const std::uint64_t* words, std::size_t count) {
  Words sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    for (std::size_t part = 0; part < 4; ++part) {
      sums[part] += *reinterpret_cast<const Words*>(words + i + part * lanes);
    }
  }
  const Words all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  std::uint64_t sum = all[0] + all[1] + all[2] + all[3];
  for (; i < count; ++i) {
    sum += words[i];
  }
  return sum;
}

#if defined(__x86_64__)
// Chosen at run time by hand: the loader's own choice between versions runs before a sanitizer is ready.
[[gnu::target("avx2")]] void write_avx2(std::uint64_t* words, std::size_t count, std::uint64_t k) {
  write_all(words, count, k);
}
[[gnu::target("avx2")]] std::uint64_t sum_avx2(const std::uint64_t* words, std::size_t count) {
  return sum_all(words, count);
}
const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
#endif

std::size_t words_in(tenon::Bytes payload) {
  tenon::expects(payload.size() % 8 == 0, "a payload is whole words");
  return payload.size() / 8;
}

}  // namespace

void write_payload(tenon::MutableBytes payload, std::uint64_t k) {
  const std::size_t count = words_in(payload);
  auto* words = reinterpret_cast<std::uint64_t*>(payload.data());
#if defined(__x86_64__)
  if (has_avx2) {
    return write_avx2(words, count, k);
  }
#endif
  write_all(words, count, k);
}

void check_payload(tenon::Bytes payload, std::uint64_t k) {
  const std::size_t count = words_in(payload);
  const auto* words = reinterpret_cast<const std::uint64_t*>(payload.data());
  std::uint64_t sum = 0;
#if defined(__x86_64__)
  sum = has_avx2 ? sum_avx2(words, count) : sum_all(words, count);
#else
  sum = sum_all(words, count);
#endif
  if (sum != payload_sum(k, count)) [[unlikely]] {
    payload_differs(k);
  }
}

void payload_differs(std::uint64_t k) {
  throw std::runtime_error("the payload of message " + std::to_string(k) + " is not what was written");
}

}  // namespace harness
