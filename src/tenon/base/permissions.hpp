#pragma once
/// Who may use an object. Held to the letter: the umask does not change it.
#include <tenon/base/contract.hpp>

#include <cstdint>

namespace tenon {

class Permissions {
 public:
  /// `mode` as chmod(2) takes it, at most 0777: no set-id or sticky bits.
  constexpr explicit Permissions(std::uint32_t mode) : mode_(mode) {
    expects((mode & ~0777U) == 0, "permissions have no bits beyond 0777");
  }
  constexpr std::uint32_t mode() const noexcept { return mode_; }
  friend constexpr bool operator==(Permissions, Permissions) = default;

 private:
  std::uint32_t mode_;
};

inline constexpr Permissions owner_only{0600};
inline constexpr Permissions owner_and_group{0660};

}  // namespace tenon
