#pragma once
/// Memory mapped into this process. mmap(2)
#include <tenon/base/bytes.hpp>
#include <tenon/os/fd.hpp>

#include <cstddef>
#include <utility>

namespace tenon {

enum class Access : unsigned char { read, read_write };

/// A shared mapping; unmapped when the handle goes. Moved from, it maps nothing.
///
/// Threads: data, size and bytes from several at once; close and moves when no other thread uses it or what it maps.
class Mapping {
 public:
  /// Maps `size` bytes of a file from its start. The caller answers for the file being that long: pages past its end
  /// raise SIGBUS. Failures: limit_reached (vm.max_map_count), no_memory, permission_denied, invalid_argument.
  static Result<Mapping> of_file(FdView file, std::size_t size, Access access);
  /// The same from `offset` on, which must be a multiple of the page size: else invalid_argument.
  static Result<Mapping> of_file(FdView file, std::size_t offset, std::size_t size, Access access);

  /// Takes over what another call than mmap(2) has mapped, such as shmat(2).
  static Mapping adopt(std::byte* start, std::size_t size) noexcept { return Mapping(start, size); }

  /// Memory that a child made by fork() shares. Failures: as above.
  static Result<Mapping> shared_with_children(std::size_t size);

  Mapping(Mapping&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    Mapping taken(std::move(other));
    std::swap(start_, taken.start_);
    std::swap(size_, taken.size_);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (start_ != nullptr) {
      unmap();
    }
  }

  std::byte* data() const noexcept { return start_; }
  std::size_t size() const noexcept { return size_; }
  /// Writing to a mapping made with Access::read ends the process with SIGSEGV.
  MutableBytes bytes() const noexcept { return {start_, size_}; }

  /// Unmaps now and says what went wrong. Failures: no_memory (a split of the map would exceed the map count).
  Result<void> close() &&;

 private:
  Mapping(std::byte* start, std::size_t size) noexcept : start_(start), size_(size) {}
  void unmap() noexcept;
  static Result<Mapping> map(int fd, std::size_t offset, std::size_t size, int protection, int flags);

  std::byte* start_;
  std::size_t size_;
};

/// Failure of a call that could not map: names vm.max_map_count where that is the limit.
Error map_failure(const char* call, int os_error);

}  // namespace tenon
