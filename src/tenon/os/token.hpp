#pragma once
/// Who somebody is, for all time: a random number, never a process or thread id, which the kernel gives out again.
#include <tenon/base/result.hpp>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace tenon {

class Token {
 public:
  /// A new one from getrandom(2); no two are alike.
  static Token random();
  /// The one that some other process wrote down; nobody's if it is 0.
  static constexpr Token from(std::uint64_t value) noexcept { return Token(value); }
  /// 16 lower-case hexadecimal digits. Failures: invalid_argument.
  static Result<Token> parse(std::string_view hex);

  constexpr std::uint64_t value() const noexcept { return value_; }
  constexpr bool is_nobody() const noexcept { return value_ == 0; }
  std::string hex() const;
  friend constexpr auto operator<=>(Token, Token) = default;

 private:
  constexpr explicit Token(std::uint64_t value) noexcept : value_(value) {}
  std::uint64_t value_;
};

inline constexpr Token nobody = Token::from(0);

}  // namespace tenon
