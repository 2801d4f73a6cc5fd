#include <tenon/base/shared_array.hpp>

#include <bit>
#include <cstring>
#include <string>

namespace tenon {

namespace {

constexpr std::uint64_t most_elements = std::uint64_t{1} << 32;

Error wrong(const ArrayKind& kind, Errc code, std::string detail) {
  return Error(code).on(kind.name).because(std::move(detail));
}

bool is_aligned(const ArrayKind& kind, Bytes memory) noexcept {
  return reinterpret_cast<std::uintptr_t>(memory.data()) % kind.alignment == 0;
}

bool is_possible(const ArrayKind& kind, std::uint64_t elements) noexcept {
  return std::has_single_bit(elements) && elements >= kind.least && elements <= most_elements;
}

}  // namespace

// No overflow: fewer than 2^32 elements of fewer than 2^32 bytes, and `first` is a few lines.
Result<std::size_t> bytes_of_array(const ArrayKind& kind, std::uint64_t elements) {
  if (!is_possible(kind, elements)) {
    return fail(wrong(
        kind, Errc::invalid_argument,
        std::to_string(elements) + " elements are no power of two from " + std::to_string(kind.least) + " to 2^32"));
  }
  return kind.first + elements * kind.element_bytes;
}

Result<void> check_room(const ArrayKind& kind, Bytes memory, std::uint64_t elements) {
  return bytes_of_array(kind, elements).and_then([&](std::size_t needed) -> Result<void> {
    if (!is_aligned(kind, memory)) {
      return fail(wrong(kind, Errc::invalid_argument,
                        "its memory must begin at a multiple of " + std::to_string(kind.alignment) + " bytes"));
    }
    if (memory.size() < needed) {
      return fail(wrong(kind, Errc::invalid_argument,
                        "needs " + std::to_string(needed) + " bytes, the memory has " + std::to_string(memory.size())));
    }
    return {};
  });
}

Result<std::uint64_t> elements_in(const ArrayKind& kind, Bytes memory) {
  if (!is_aligned(kind, memory) || memory.size() < kind.first) {
    return fail(wrong(kind, Errc::wrong_kind, "the memory is too small for one, or not aligned"));
  }
  // A copy: whoever else may write the memory cannot change what was checked.
  ArrayHeader header;
  std::memcpy(&header, memory.data(), sizeof header);
  if (header.magic != kind.magic) {
    return fail(wrong(kind, Errc::wrong_kind, "the memory holds none"));
  }
  if (header.version != kind.version) {
    return fail(wrong(kind, Errc::version_mismatch,
                      "the memory has layout version " + std::to_string(header.version) + ", this program " +
                          std::to_string(kind.version)));
  }
  if (header.element_bytes != kind.element_bytes) {
    return fail(wrong(kind, Errc::type_mismatch,
                      "its elements have " + std::to_string(header.element_bytes) + " bytes, this program's " +
                          std::to_string(kind.element_bytes)));
  }
  const bool fits =
      is_possible(kind, header.elements) && header.elements <= (memory.size() - kind.first) / kind.element_bytes;
  if (!fits) {
    return fail(wrong(
        kind, Errc::corrupt,
        "says that it has " + std::to_string(header.elements) + " elements: too few, or more than there is room for"));
  }
  return header.elements;
}

}  // namespace tenon
