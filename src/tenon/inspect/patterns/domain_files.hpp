#pragma once
/// Files of a domain, read with pread(2) and never mapped, so that whoever cuts one short does not end the reader.
#include <tenon/base/bytes.hpp>
#include <tenon/base/result.hpp>
#include <tenon/os/fd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

class DomainFile {
 public:
  /// Outcomes: not_found. Failures: as open_regular().
  static Result<DomainFile> open(FdView directory, const std::string& name);

  std::uint64_t size() const noexcept { return size_; }
  /// Bytes that it takes up.
  std::uint64_t memory() const noexcept { return memory_; }
  uid_t owner() const noexcept { return owner_; }

  /// Whether all of `into` could be read: the kernel ends it where the file does, wherever `at` is.
  bool read(MutableBytes into, std::uint64_t at) const noexcept;
  template <class T>
  std::optional<T> value_at(std::uint64_t at) const noexcept {
    T value;
    return read(mutable_bytes_of_value(value), at) ? std::optional(value) : std::nullopt;
  }

 private:
  DomainFile(Fd file, std::uint64_t size, std::uint64_t memory, uid_t owner) noexcept
      : file_(std::move(file)), size_(size), memory_(memory), owner_(owner) {}

  Fd file_;
  std::uint64_t size_;
  std::uint64_t memory_;
  uid_t owner_;
};

/// Those that begin so, by name. Failures: those of opendir(3).
Result<std::vector<std::string>> names_in(FdView directory, std::string_view prefix);

/// The directory of a domain, which is not made. Outcomes: not_found. Failures: permission_denied, wrong_kind.
Result<Fd> open_domain_directory(const std::string& path);

}  // namespace tenon::inspect
