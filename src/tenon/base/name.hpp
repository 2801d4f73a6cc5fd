#pragma once
/// Names of objects, checked before any system call. path_resolution(7)
#include <tenon/base/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace tenon {

/// One component of a path: not empty, not "." or "..", without '/' and NUL, at most 255 bytes together with
/// whatever prefix the mechanism puts before it. Any other byte is kept as it is.
class Name {
 public:
  static constexpr std::size_t max_bytes = 255;

  /// Failures: invalid_name, which says what is wrong with it.
  static Result<Name> make(std::string_view text, std::size_t prefix_bytes = 0);

  const std::string& text() const noexcept { return text_; }

 private:
  explicit Name(std::string_view text) : text_(text) {}
  std::string text_;
};

/// Checks a file path: not empty, without NUL, shorter than PATH_MAX, its last component a Name.
Result<void> check_path(std::string_view path);

/// For people: control characters, DEL, backslash, quotes and bytes that are not UTF-8 as \n, \x1b …
std::string escaped(std::string_view bytes);

}  // namespace tenon
