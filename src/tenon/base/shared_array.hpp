#pragma once
/// A header and an array behind it, in memory that several processes share: how much that takes, and whether what
/// stands there is what it should be.
///
///     byte 0       8         12              16         24         64            first element, on a line of its own
///          | magic | version | element bytes | elements | reserved | own words … | element 0 | element 1 | …
///          | u64   | u32     | u32           | u64      |          |             |           |           |
///
/// All is in the machine's own byte order: who shares memory shares a machine.
#include <tenon/base/bytes.hpp>
#include <tenon/base/cache_line.hpp>
#include <tenon/base/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace tenon {

/// The first line of each such memory.
struct ArrayHeader {
  std::uint64_t magic = 0;
  std::uint32_t version = 0;
  std::uint32_t element_bytes = 0;
  std::uint64_t elements = 0;
  std::uint64_t reserved[5] = {};
};
static_assert(sizeof(ArrayHeader) == 64 && offsetof(ArrayHeader, elements) == 16);
static_assert(std::is_trivially_copyable_v<ArrayHeader>);

/// What must stand in the first line, and where the elements lie.
struct ArrayKind {
  const char* name;             ///< "sequenced ring"
  std::uint64_t magic;          ///< eight characters
  std::uint32_t version;        ///< of the layout
  std::uint32_t element_bytes;  ///< with what stands beside the value
  std::size_t first;            ///< byte of the first element
  std::size_t alignment;        ///< of the whole
  std::uint64_t least = 1;      ///< elements, below which the structure does not work
};

/// The bytes that so many elements need. Failures: invalid_argument (no power of two from `least` to 2^32).
Result<std::size_t> bytes_of_array(const ArrayKind& kind, std::uint64_t elements);
/// That the memory is aligned and large enough. Failures: invalid_argument, naming both sizes.
Result<void> check_room(const ArrayKind& kind, Bytes memory, std::uint64_t elements);
/// How many elements stand in memory that somebody else made; each word of it is read once. Failures: wrong_kind (other
/// magic), version_mismatch, type_mismatch (elements of another size), corrupt (fewer elements than `least`, or more
/// than there is room for).
Result<std::uint64_t> elements_in(const ArrayKind& kind, Bytes memory);

/// A Header, which begins with an ArrayHeader named `array`, and a run of Elements.
template <class Header, class Element>
class SharedArray {
 public:
  SharedArray(Header& header, std::span<Element> elements) noexcept : header_(&header), elements_(elements) {}

  static constexpr ArrayKind kind_of(const char* name, std::uint64_t magic, std::uint32_t version,
                                     std::uint64_t least = 1) noexcept {
    constexpr std::size_t alignment = std::max({alignof(Header), alignof(Element), cache_line});
    return {.name = name,
            .magic = magic,
            .version = version,
            .element_bytes = sizeof(Element),
            .first = (sizeof(Header) + alignment - 1) / alignment * alignment,
            .alignment = alignment,
            .least = least};
  }

  /// Makes them in memory that nobody else sees yet.
  static Result<SharedArray> initialise(const ArrayKind& kind, MutableBytes memory, std::uint64_t elements) {
    if (auto room = check_room(kind, memory, elements); !room) {
      return fail(std::move(room.error()));
    }
    SharedArray made(*::new (memory.data()) Header{}, elements_at(kind, memory, elements));
    std::uninitialized_value_construct(made.elements_.begin(), made.elements_.end());
    made.header_->array = {
        .magic = kind.magic, .version = kind.version, .element_bytes = kind.element_bytes, .elements = elements};
    return made;
  }

  static Result<SharedArray> open(const ArrayKind& kind, MutableBytes memory) {
    auto elements = elements_in(kind, memory);
    if (!elements) {
      return fail(std::move(elements.error()));
    }
    return SharedArray(*reinterpret_cast<Header*>(memory.data()), elements_at(kind, memory, *elements));
  }

  Header& header() const noexcept { return *header_; }
  std::span<Element> elements() const noexcept { return elements_; }

 private:
  static std::span<Element> elements_at(const ArrayKind& kind, MutableBytes memory, std::uint64_t elements) noexcept {
    return {reinterpret_cast<Element*>(memory.data() + kind.first), static_cast<std::size_t>(elements)};
  }

  Header* header_;
  std::span<Element> elements_;
};

}  // namespace tenon
