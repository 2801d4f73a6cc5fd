#pragma once
/// Where in the source a lock is taken: told in checked builds, and nothing in others.
///
/// A build is checked if all of it, the library and who uses it, is compiled with TENON_CHECKED. What a lock looks like
/// in shared memory is the same in both, so checked and unchecked processes share locks. The two cannot be linked into
/// one program: functions that take a lock have other names for the linker.
#include <cstdint>
#include <source_location>

namespace tenon {

#ifdef TENON_CHECKED
constexpr bool is_checked = true;
using TakenAt = std::source_location;
#else
constexpr bool is_checked = false;
/// Has no size as an argument: it takes no register, and no instruction.
struct TakenAt {
  static constexpr TakenAt current() noexcept { return {}; }
};
#endif

/// The same as a value for who writes it down. `file` lives as long as the program.
struct LockPlace {
  const char* file = "";
  std::uint32_t line = 0;

  constexpr LockPlace() noexcept = default;
  constexpr LockPlace(const char* in_file, std::uint32_t at_line) noexcept : file(in_file), line(at_line) {}
#ifdef TENON_CHECKED
  explicit constexpr LockPlace(TakenAt at) noexcept : file(at.file_name()), line(at.line()) {}
#else
  explicit constexpr LockPlace(TakenAt) noexcept {}
#endif
};

}  // namespace tenon
