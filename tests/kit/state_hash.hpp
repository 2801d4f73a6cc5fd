#pragma once
/// Fingerprints of shared state: not against an adversary, but 64 bits wide and quick.
#include <tenon/base/bytes.hpp>

#include <cstdint>
#include <string>

namespace kit {

std::uint64_t hash_of(tenon::Bytes bytes, std::uint64_t seed = 0) noexcept;

/// Of a directory tree: names, kinds, modes, sizes, link targets and the contents of regular files. What vanishes
/// meanwhile is left out.
std::uint64_t hash_of_tree(const std::string& directory);

}  // namespace kit
