#include <kit/state_hash.hpp>

#include <kit/unique.hpp>

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace kit {

namespace {

// One round of a 128-bit multiply; its halves folded.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0x9e3779b97f4a7c15) * (b ^ 0xbf58476d1ce4e5b9);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_of_file(const std::string& path, const struct stat& status, std::size_t most_bytes) {
  std::string content;
  if (S_ISREG(status.st_mode)) {
    content.resize(std::min(most_bytes, static_cast<std::size_t>(status.st_size)));
    std::ifstream file(path, std::ios::binary);
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(file.gcount()));
  } else if (S_ISLNK(status.st_mode)) {
    std::error_code gone;
    content = std::filesystem::read_symlink(path, gone).string();
  }
  return hash_of(tenon::bytes_of(content), mix(status.st_mode, static_cast<std::uint64_t>(status.st_size)));
}

}  // namespace

std::uint64_t hash_of(tenon::Bytes bytes, std::uint64_t seed) noexcept {
  std::uint64_t hash = mix(seed, bytes.size());
  while (bytes.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    hash = mix(hash, word);
    bytes = bytes.subspan(sizeof word);
  }
  std::uint64_t rest = 0;
  if (!bytes.empty()) {
    std::memcpy(&rest, bytes.data(), bytes.size());
  }
  return mix(hash, rest);
}

std::uint64_t hash_of_tree(const std::string& directory, std::size_t most_bytes_of_each) {
  std::uint64_t hash = 1;
  for (const std::string& name : names_in(directory)) {
    const std::string path = directory + "/" + name;
    struct stat status{};
    if (::lstat(path.c_str(), &status) == -1) {
      continue;
    }
    const std::uint64_t inside = S_ISDIR(status.st_mode) ? hash_of_tree(path, most_bytes_of_each)
                                                         : hash_of_file(path, status, most_bytes_of_each);
    hash = hash_of(tenon::bytes_of(name), mix(hash, inside));
  }
  return hash;
}

}  // namespace kit
