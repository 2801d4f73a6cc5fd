#pragma once
/// What lsof and lsfd print of a machine's processes, a row each.
#include "machine.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace parity {

/// One descriptor or map, as either tool tells of it.
struct Opened {
  long pid;
  std::string descriptor;  // "3", or what stands there of a map
  std::string access;      // "r", "w", "rw"
  std::string type;
  std::optional<std::uint64_t> device;
  std::uint64_t inode;
  std::optional<std::uint64_t> size;
  std::string name;
  char lock;
  std::string address = {};                    // of a socket
  std::string state = {};                      // of a socket: "LISTEN"
  std::optional<std::uint64_t> flags = {};     // as numbers
  std::optional<std::string> flag_names = {};  // or as words
  std::optional<std::uint64_t> position = {};
  std::optional<std::uint64_t> links = {};
  std::optional<std::uint64_t> mount = {};
  std::uint64_t pages = 0;  // of a map
  std::optional<std::uint64_t> owner = {};
  std::optional<std::string> protocol = {};
  std::optional<bool> deleted = {};

  bool is_map() const { return descriptor.find_first_not_of("0123456789") != std::string::npos; }
};

std::vector<Opened> lsof(const Machine& machine);
std::vector<Opened> lsfd(const Machine& machine);

}  // namespace parity
