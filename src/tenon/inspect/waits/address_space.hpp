#pragma once
/// The memory of another process, read alone. process_vm_readv(2), proc(5)
#include <tenon/base/bytes.hpp>
#include <tenon/base/result.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::inspect {

class AddressSpace {
 public:
  /// Where a byte lies that several processes may have in common.
  struct Place {
    FileId file;
    std::uint64_t offset;  ///< in the file
    std::string path;      ///< what /proc calls it
  };

  /// Outcomes: not_found. Failures: permission_denied, corrupt.
  static Result<AddressSpace> of(pid_t pid);

  /// Nothing for memory that is the process's alone, or none.
  std::optional<Place> shared_place(std::uint64_t address) const;
  /// The files that it shares, each once, and whether it may write there.
  std::vector<std::pair<FileId, bool>> shared_files() const;
  /// Fills `into`; false if not all of it is there to be read.
  bool read(std::uint64_t address, MutableBytes into) const noexcept;
  template <class T>
  std::optional<T> value(std::uint64_t address) const noexcept {
    T found{};
    return read(address, std::as_writable_bytes(std::span(&found, 1))) ? std::optional(found) : std::nullopt;
  }
  /// Up to its first NUL, of at most 4095 bytes.
  std::optional<std::string> text(std::uint64_t address) const;

 private:
  struct Part {
    std::uint64_t from;
    std::uint64_t to;
    bool shared;
    bool writes;
    Place at;
  };
  explicit AddressSpace(pid_t thread) noexcept : thread_(thread) {}

  pid_t thread_;  // one that lives
  std::vector<Part> parts_;
};

}  // namespace tenon::inspect
