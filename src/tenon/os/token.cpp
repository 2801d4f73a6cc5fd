#include <tenon/os/token.hpp>

#include <tenon/base/contract.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <sys/random.h>

namespace tenon {

Token Token::random() {
  std::uint64_t value = 0;
  while (value == 0) {
    // Eight bytes are never interrupted once the pool is ready; before that it is the one boot-time wait.
    const auto got = ::getrandom(&value, sizeof value, 0);
    expects(got == sizeof value || errno == EINTR, "the kernel has no getrandom");
  }
  return Token(value);
}

Result<Token> Token::parse(std::string_view hex) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  const bool whole = error == std::errc() && end == hex.data() + hex.size();
  if (!whole || Token(value).hex() != hex) {  // one token has one spelling, for files are named after it
    return fail(Error(Errc::invalid_argument).on(hex).because("a token has 16 lower-case hexadecimal digits"));
  }
  return Token(value);
}

std::string Token::hex() const {
  std::array<char, 16> digits;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    digits[i] = "0123456789abcdef"[(value_ >> (60 - 4 * i)) & 15];
  }
  return {digits.data(), digits.size()};
}

}  // namespace tenon
