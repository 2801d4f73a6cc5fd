#include <tenon/os/sysv_key.hpp>

#include <tenon/base/name.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <sys/ipc.h>

namespace tenon {

namespace {

constexpr int most_project = 255;  // ftok() drops the rest without a word

Fail invalid(std::string_view text, std::string_view why) {
  return fail(Error(Errc::invalid_argument).on(text).because(why));
}

}  // namespace

Result<SysvKey> SysvKey::number(key_t value) {
  if (value == IPC_PRIVATE) {
    return invalid("0", "a key of 0 is IPC_PRIVATE, which nobody else can find; take any other number");
  }
  return SysvKey(value);
}

Result<SysvKey> SysvKey::of_file(std::string_view path, int project) {
  if (auto checked = check_path(path); !checked) {
    return fail(std::move(checked.error()));
  }
  if (project < 1 || project > most_project) {
    return invalid(path, "a project is a number from 1 to 255, not " + std::to_string(project));
  }
  errno = 0;
  const key_t key = ::ftok(std::string(path).c_str(), project);
  if (key == -1) {
    // Without an errno it is a file whose key happens to look like an error.
    return errno == 0 ? invalid(path, "ftok() can give this file and project no key; take another project")
                      : fail(os_failure("ftok", errno).on(path));
  }
  return number(key);
}

Result<SysvKey> SysvKey::parse(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = hexadecimal ? text.substr(2) : text;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return invalid(text, "a key is a number of up to 32 bits, as in 1234 or 0x4d2");
  }
  return number(static_cast<key_t>(value));
}

std::string SysvKey::text() const {
  if (is_unshared()) {
    return "private";
  }
  constexpr std::size_t digits = 8;
  std::array<char, digits> hex{};
  const auto [end, error] = std::to_chars(hex.data(), hex.data() + hex.size(), static_cast<std::uint32_t>(value_), 16);
  const std::string shown(hex.data(), end);
  return "0x" + std::string(digits - shown.size(), '0') + shown;
}

}  // namespace tenon
