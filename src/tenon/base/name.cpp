#include <tenon/base/name.hpp>

#include <array>
#include <climits>
#include <cstdint>

namespace tenon {

namespace {

Fail invalid(std::string_view text, std::string_view why) {
  return fail(Error(Errc::invalid_name).on(text).because(why));
}

// The length of the UTF-8 sequence at the front, 0 if the bytes are not one (overlong forms and surrogates too).
std::size_t utf8_length(std::string_view bytes) {
  auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const std::uint8_t first = at(0);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (length == 1) {
    return 1;
  }
  if (first < 0xc2 || first > 0xf4 || bytes.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) {
      return 0;
    }
  }
  const std::uint8_t second = at(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}

void append_hex(std::string& out, std::uint8_t byte) {
  constexpr std::array digits = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  out += "\\x";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

}  // namespace

Result<Name> Name::make(std::string_view text, std::size_t prefix_bytes) {
  if (text.empty()) {
    return invalid(text, "it is empty");
  }
  if (text == "." || text == "..") {
    return invalid(text, "it stands for a directory");
  }
  if (text.find('/') != std::string_view::npos) {
    return invalid(text, "it contains '/'");
  }
  if (text.find('\0') != std::string_view::npos) {
    return invalid(text, "it contains a NUL byte");
  }
  const std::size_t room = prefix_bytes < max_bytes ? max_bytes - prefix_bytes : 0;
  if (text.size() > room) {
    return invalid(text, "it has " + std::to_string(text.size()) + " bytes, at most " + std::to_string(room) + " fit");
  }
  return Name(text);
}

Result<void> check_path(std::string_view path) {
  if (path.size() >= PATH_MAX) {
    return invalid(
        path, "it has " + std::to_string(path.size()) + " bytes, at most " + std::to_string(PATH_MAX - 1) + " fit");
  }
  if (path.find('\0') != std::string_view::npos) {
    return invalid(path, "it contains a NUL byte");
  }
  const std::size_t slash = path.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (auto name = Name::make(last); !name) {
    return invalid(path, name.error().detail());
  }
  return {};
}

std::string escaped(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const char byte = bytes.front();
    const std::size_t length = utf8_length(bytes);
    if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte == '\\' || byte == '"') {
      out += '\\';
      out += byte;
    } else if (length == 0 || static_cast<std::uint8_t>(byte) < 0x20 || byte == 0x7f) {
      append_hex(out, static_cast<std::uint8_t>(byte));
    } else {
      // C1 controls (U+0080…U+009F) move cursors on some terminals too.
      const bool c1 =
          length == 2 && static_cast<std::uint8_t>(byte) == 0xc2 && static_cast<std::uint8_t>(bytes[1]) < 0xa0;
      if (c1) {
        append_hex(out, static_cast<std::uint8_t>(byte));
        append_hex(out, static_cast<std::uint8_t>(bytes[1]));
      } else {
        out += bytes.substr(0, length);
      }
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace tenon
