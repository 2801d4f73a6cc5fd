#pragma once
/// A text of at most N bytes that lies where it stands: no pointer, so it may be mapped anywhere and copied bytewise.
///
///     byte 0      4            4 + N   up to a multiple of 4
///          | size | characters | zeros |
///          | u32  |            |       |
#include <tenon/base/contract.hpp>
#include <tenon/base/result.hpp>
#include <tenon/memory/type_description.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>

namespace tenon {

/// Any bytes, NUL too; none is needed at the end. Bytes behind the text are zero, so equal texts are equal bytes.
template <std::uint32_t N>
class FixedString {
 public:
  static_assert(N > 0, "a text of no bytes needs no memory");

  constexpr FixedString() noexcept = default;
  /// Failures: no_space (longer than N; nothing is cut).
  static Result<FixedString> make(std::string_view text) {
    FixedString made;
    return made.assign(text).transform([&] { return made; });
  }
  /// A literal that does not fit does not compile; nor does a buffer, whose text ends before its array does.
  template <std::size_t M>
    requires(M - 1 <= N)
  consteval FixedString(const char (&text)[M]) noexcept {  // NOLINT(google-explicit-constructor): it is the same text
    expects(text[M - 1] == '\0', "a literal ends in a NUL");
    put(std::string_view(text, M - 1));
  }
  template <std::size_t M>
  FixedString(char (&buffer)[M]) = delete;

  /// Failures: no_space (longer than N; it stays as it was).
  constexpr Result<void> assign(std::string_view text) {
    if (text.size() > N) {
      return fail(Error(Errc::no_space, "FixedString::assign")
                      .because(std::to_string(text.size()) + " bytes do not fit into " + std::to_string(N)));
    }
    put(text);
    return {};
  }

  /// Never longer than N, whatever stands in the memory.
  constexpr std::string_view view() const noexcept { return {characters_, size()}; }
  constexpr std::uint32_t size() const noexcept { return std::min(size_, N); }
  constexpr bool empty() const noexcept { return size_ == 0; }
  static constexpr std::uint32_t capacity() noexcept { return N; }

  friend constexpr bool operator==(const FixedString& a, const FixedString& b) noexcept { return a.view() == b.view(); }
  friend constexpr auto operator<=>(const FixedString& a, const FixedString& b) noexcept {
    return a.view() <=> b.view();
  }

 private:
  constexpr void put(std::string_view text) noexcept {
    std::fill(std::copy(text.begin(), text.end(), characters_), std::end(characters_), '\0');
    size_ = static_cast<std::uint32_t>(text.size());
  }

  std::uint32_t size_ = 0;
  char characters_[(N + 3) / 4 * 4] = {};  // up to the end: bytes that belong to nobody may be anything
};

template <std::uint32_t N>
struct TypeNameOf<FixedString<N>> {
  static constexpr TypeText value = TypeText("FixedString<").append(N).append(">");
};

static_assert(sizeof(FixedString<12>) == 16 && alignof(FixedString<12>) == 4);
static_assert(std::is_trivially_copyable_v<FixedString<1>> && std::is_standard_layout_v<FixedString<1>>);

}  // namespace tenon
