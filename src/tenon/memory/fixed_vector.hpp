#pragma once
/// At most N elements that lie where they stand: no pointer, so they may be mapped anywhere and copied bytewise.
///
///     byte 0      8 (or the element's alignment, if that is larger)
///          | size | reserved | elements |
///          | u32  | u32      |          |
#include <tenon/base/contract.hpp>
#include <tenon/base/result.hpp>
#include <tenon/memory/type_description.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

namespace tenon {

/// Elements are trivially copyable, and have a value when they are all zeros, which those behind the last are at first.
template <class T, std::uint32_t N>
  requires std::is_trivially_copyable_v<T>
class FixedVector {
 public:
  static_assert(N > 0, "a vector of no elements needs no memory");

  constexpr FixedVector() noexcept = default;

  /// Failures: no_space (it is full; it stays as it was).
  constexpr Result<void> push_back(const T& element) { return insert(size(), element); }
  /// Before the element at `index`, which is at most size(). Failures: no_space.
  constexpr Result<void> insert(std::uint32_t index, const T& element) {
    const std::uint32_t count = size();
    expects(index <= count, "an element is inserted before an element, or behind the last");
    if (count == N) {
      return fail(Error(Errc::no_space, "FixedVector::insert").because("it has room for " + std::to_string(N)));
    }
    const T copied = element;  // it may be an element of this very vector
    std::copy_backward(elements_ + index, elements_ + count, elements_ + count + 1);
    elements_[index] = copied;
    size_ = count + 1;
    return {};
  }
  /// Removes the element at `index`, which is less than size().
  constexpr void erase(std::uint32_t index) noexcept {
    const std::uint32_t count = size();
    expects(index < count, "an element that is removed is there");
    std::copy(elements_ + index + 1, elements_ + count, elements_ + index);
    size_ = count - 1;
  }
  constexpr void clear() noexcept { size_ = 0; }

  /// Never more than N, whatever stands in the memory.
  constexpr std::uint32_t size() const noexcept { return std::min(size_, N); }
  constexpr bool empty() const noexcept { return size_ == 0; }
  static constexpr std::uint32_t capacity() noexcept { return N; }
  constexpr std::span<T> span() noexcept { return {elements_, size()}; }
  constexpr std::span<const T> span() const noexcept { return {elements_, size()}; }
  constexpr T& operator[](std::uint32_t index) noexcept { return elements_[checked(index)]; }
  constexpr const T& operator[](std::uint32_t index) const noexcept { return elements_[checked(index)]; }

 private:
  constexpr std::uint32_t checked(std::uint32_t index) const noexcept {
    expects(index < size(), "an index is less than the size");
    return index;
  }

  std::uint32_t size_ = 0;
  [[maybe_unused]] std::uint32_t reserved_ = 0;
  T elements_[N] = {};
};

template <NamedType T, std::uint32_t N>
struct TypeNameOf<FixedVector<T, N>> {
  static constexpr TypeText value =
      TypeText("FixedVector<").append(TypeNameOf<T>::value.view()).append(",").append(N).append(">");
};

static_assert(sizeof(FixedVector<std::uint64_t, 3>) == 32 && sizeof(FixedVector<char, 8>) == 16);
static_assert(std::is_trivially_copyable_v<FixedVector<int, 1>> && std::is_standard_layout_v<FixedVector<int, 1>>);

}  // namespace tenon
