#pragma once
/// What each file that processes share begins with, and whether it is what one looks for.
#include <tenon/base/result.hpp>

#include <array>
#include <cstdint>

namespace tenon {

/// `mode` is 0 but for what is reserved.
struct FileIdentity {
  std::array<char, 8> magic = {};
  std::uint32_t layout_version = 0;
  std::uint32_t mode = 0;
};

/// Of a header, which has these three.
template <class Header>
constexpr FileIdentity identity_of(const Header& header) noexcept {
  return {.magic = header.magic, .layout_version = header.layout_version, .mode = header.mode};
}

/// Failures: corrupt (another magic), version_mismatch (naming both), not_supported (a mode that this program does not
/// know).
Result<void> check_identity(const FileIdentity& seen, const FileIdentity& known);

}  // namespace tenon
