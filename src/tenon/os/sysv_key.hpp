#pragma once
/// What a System V object is called: a number that processes agree on. sysvipc(7), ftok(3)
#include <tenon/base/result.hpp>

#include <string>
#include <string_view>
#include <sys/types.h>

namespace tenon {

/// Anybody may take any number: a key is a meeting point, not an identity. Who opens by one looks at whose object it
/// is.
class SysvKey {
 public:
  /// A number of one's own. Failures: invalid_argument (0, which is IPC_PRIVATE and would make a new object each time).
  static Result<SysvKey> number(key_t value);
  /// No key: what is made with it can be reached by its identifier alone (IPC_PRIVATE).
  static constexpr SysvKey unshared() noexcept { return SysvKey(0); }
  /// Made of an existing file and a project number from 1 to 255. Not unique: 16 bits of the inode, 8 of the device and
  /// 8 of the project go into it, so two files may have the same, and a file that is removed and made again has
  /// another. Outcomes: not_found. Failures: invalid_name, invalid_argument (a project of 0; a file that gives no key),
  /// permission_denied. ftok(3)
  static Result<SysvKey> of_file(std::string_view path, int project);
  /// As people write it: "1234", "0x4d2". Failures: invalid_argument.
  static Result<SysvKey> parse(std::string_view text);

  constexpr key_t value() const noexcept { return value_; }
  constexpr bool is_unshared() const noexcept { return value_ == 0; }
  /// As ipcs(1) shows it, "0x000004d2"; "private" for none.
  std::string text() const;
  friend constexpr bool operator==(SysvKey, SysvKey) = default;

 private:
  constexpr explicit SysvKey(key_t value) noexcept : value_(value) {}
  key_t value_;
};

}  // namespace tenon
