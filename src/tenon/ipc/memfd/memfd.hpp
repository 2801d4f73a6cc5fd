#pragma once
/// Memory without a name, handed over by descriptor, which can be sealed against its own maker. memfd_create(2)
#include <tenon/base/permissions.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/huge_pages.hpp>
#include <tenon/os/mapping.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tenon {

/// What nobody can do any more with the memory, as a set; a seal is never taken off. fcntl(2), F_ADD_SEALS
enum class Seals : std::uint8_t {
  none = 0,
  seal = 1,           ///< adding seals
  shrink = 2,         ///< making it shorter: whoever maps it may touch every byte, whatever others do
  grow = 4,           ///< making it longer
  write = 8,          ///< writing, through whatever map or descriptor: the content stays as it is
  future_write = 16,  ///< new ways to write: maps that are writable already stay so. Linux 5.1
  exec = 32,          ///< making it executable. Linux 6.3
};

constexpr Seals operator|(Seals a, Seals b) noexcept {
  return static_cast<Seals>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr bool has_all(Seals set, Seals wanted) noexcept {
  const auto bits = static_cast<std::uint8_t>(wanted);
  return (static_cast<std::uint8_t>(set) & bits) == bits;
}

/// Threads: all calls but close and moves from several at once. fork: works in the child, and so do its maps.
class Memfd {
 public:
  /// Makes memory of `size` bytes, at least one, zeroed and all there; nobody has it but this process. The name is a
  /// comment, which /proc shows: up to 249 bytes, not unique. The permissions are for those who open it again through
  /// /proc/PID/fd. Failures: invalid_name, invalid_argument, limit_reached (descriptors, vm.nr_hugepages,
  /// RLIMIT_FSIZE), no_memory, permission_denied (the right to huge pages).
  static Result<Memfd> create(std::string_view name, std::size_t size, Permissions permissions = owner_only,
                              Pages pages = Pages::ordinary);
  /// Takes over a descriptor, as received from another process. Nothing is believed of it: map() looks.
  static Memfd adopt(Fd fd) { return Memfd(std::move(fd)); }

  /// Outcomes of sealing against writing: would_block (somebody has it mapped for writing). Failures: permission_denied
  /// (sealed against sealing, or opened for reading alone), wrong_kind (no memory that can be sealed), not_supported (a
  /// seal that this kernel does not know).
  Result<void> seal(Seals more);
  /// Failures: wrong_kind (no memory that can be sealed).
  Result<Seals> seals() const;

  /// Maps all of it, if it has at least these seals, which are looked at before its size is, and that before the map:
  /// what others say of either counts for nothing. For memory of a peer that one does not trust ask for Seals::shrink,
  /// since otherwise it could be truncated under the map, and for Seals::write too if it must not change while one
  /// reads. Failures: permission_denied, which names the seals that are missing or in the way; corrupt (it has no
  /// bytes), limit_reached (vm.max_map_count), no_memory, wrong_kind.
  Result<Mapping> map(Access access, Seals required) const;

  /// How many bytes it has now, by the kernel's count.
  Result<std::size_t> size() const;
  /// Makes it longer, with memory behind the new bytes. Who has it mapped keeps a valid map of the first part. By one
  /// process at a time. Failures: those of create, invalid_argument (shrinking), permission_denied (sealed).
  Result<void> resize(std::size_t size);

  FdView fd() const noexcept { return fd_.view(); }
  /// Gives it away, to be passed on.
  Fd into_fd() && noexcept { return std::move(fd_); }
  Result<void> close() && { return std::move(fd_).close(); }

 private:
  explicit Memfd(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

/// "shrink, grow"; "none". For people.
std::string text_of(Seals seals);

}  // namespace tenon
