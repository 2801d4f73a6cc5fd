#pragma once
/// The kinds of objects through which processes communicate, by the names that the mechanisms have here.
#include <tenon/base/result.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tenon::inspect {

enum class Kind : std::uint8_t {
  posix_queue,
  sysv_queue,
  posix_memory,
  sysv_memory,
  memfd,
  posix_semaphore,
  sysv_semaphore,
  pipe,  ///< without a name
  fifo,
  unix_socket,
  eventfd,
  file_lock,
  lock,   ///< a word in shared memory that somebody waits for: a mutex, a condition variable, a semaphore
  topic,  ///< this and what follows are Tenon's own
  queue,
  service,
  stream,
  board,
};

/// In the order in which they are listed.
std::span<const Kind> all_kinds() noexcept;

/// "posix_queue", …
std::string_view name_of(Kind kind) noexcept;
/// The other way round. Failures: invalid_argument, which lists the names.
Result<Kind> kind_of(std::string_view name);

/// Tenon's own: they live in a domain, and its records tell who takes part.
bool is_pattern(Kind kind) noexcept;
/// The System V kinds: they have a key and an identifier, and no name.
bool is_system_v(Kind kind) noexcept;

}  // namespace tenon::inspect
