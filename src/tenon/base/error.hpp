#pragma once
/// One error type for every mechanism. errno(3)
///
/// Outcomes are what a caller branches on; failures are what it passes upward. Both are values. An outcome
/// is cheap: no allocation, no text. A failure carries what a person needs: the call, the object, and where a
/// limit is the cause, which limit, its value, what was asked for, and the remedy.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tenon {

enum class Errc : std::uint8_t {
  // Outcomes.
  timed_out = 1,     ///< the deadline came first
  would_block,       ///< a try_ call found nothing to do
  stopped,           ///< the Stop of the wait was set
  closed,            ///< the other side has closed or died; for streams being read: end of file is not an error
  not_found,         ///< no object of that name
  already_exists,    ///< an object of that name exists, or its one place is taken
  owner_died,        ///< the last owner died holding it; the data may need repair
  not_recoverable,   ///< nobody repaired it after its owner died
  message_too_long,  ///< larger than the object or the buffer takes; the message is untouched
  lagged,            ///< messages were lost, the count is told
  stale,             ///< left over from a creator that died half-way
  no_peer,           ///< nobody is at the other end yet
  peer_died,         ///< the other side ended without saying so
  aborted,           ///< the other side gave up half-way and said so

  // Failures.
  invalid_name = 64,
  invalid_argument,
  permission_denied,
  limit_reached,
  no_space,
  no_memory,
  not_supported,
  corrupt,
  version_mismatch,
  type_mismatch,
  wrong_kind,  ///< the name stands for an object of another kind
  in_child,    ///< the handle was opened before fork() and does not work in the child
  io_error,
  deadlock,  ///< refused, for somebody takes the same locks in another order; told by checked builds alone
};

/// "timed_out", "would_block", …
std::string_view name_of(Errc code) noexcept;

/// True for what a caller is expected to branch on.
constexpr bool is_outcome(Errc code) noexcept { return code < Errc::invalid_name; }

/// A limit that was the cause, with its figures.
struct Limit {
  std::string name;          ///< "RLIMIT_NOFILE", "fs.pipe-max-size"
  std::uint64_t value = 0;   ///< what it is
  std::uint64_t wanted = 0;  ///< what was asked for
  std::string remedy;        ///< "raise it with: sysctl -w …"
};

class [[nodiscard]] Error {
 public:
  /// `call` must be a string literal: "mq_open".
  constexpr explicit Error(Errc code, const char* call = "", int os_error = 0) noexcept
      : call_(call), os_error_(os_error), code_(code) {}

  Errc code() const noexcept { return code_; }
  /// The errno of the call, 0 if no call failed.
  int os_error() const noexcept { return os_error_; }
  const char* call() const noexcept { return call_; }
  /// The object's name, "" if it has none.
  std::string_view object() const noexcept;
  /// A sentence that explains more, "" if there is none.
  std::string_view detail() const noexcept;
  /// nullptr if no limit was the cause.
  const Limit* limit() const noexcept;

  Error on(std::string_view object) &&;
  Error because(std::string_view detail) &&;
  Error with(Limit limit) &&;

  /// One line for a person: `open("/tmp/x"): permission denied: owned by uid 1000`.
  std::string message() const;

  friend bool operator==(const Error& error, Errc code) noexcept { return error.code_ == code; }

 private:
  struct Story;
  Story& story();

  const char* call_;
  std::shared_ptr<Story> story_;  // null for outcomes, so that they cost no allocation
  int os_error_;
  Errc code_;
};

/// The code that stands for an errno where the call gives it no special meaning.
Errc errc_of(int os_error) noexcept;

/// The error of a call that has just failed with `os_error`.
Error os_failure(const char* call, int os_error);

}  // namespace tenon
