#pragma once
/// Fingerprints of shared state: not against an adversary, but 64 bits wide and quick.
#include <tenon/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace kit {

std::uint64_t hash_of(tenon::Bytes bytes, std::uint64_t seed = 0) noexcept;

/// Of a directory tree: names, kinds, modes, sizes, link targets and what regular files begin with. What vanishes
/// meanwhile is left out.
std::uint64_t hash_of_tree(const std::string& directory, std::size_t most_bytes_of_each = SIZE_MAX);

}  // namespace kit
