#pragma once
/// What a command is given to send: a file, or standard input.
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tenon::cli {

/// Standard input for "-". Failures: not_found, permission_denied, wrong_kind (a directory).
Result<Fd> open_input(const std::string& path);
/// What comes next, which may keep it waiting; 0 at the end.
Result<std::size_t> read_input(FdView input, MutableBytes into);

/// The lines of an input, one after the other.
class InputLines {
 public:
  explicit InputLines(Fd input) : input_(std::move(input)) {}

  /// The next one without its newline, good until the next call. The last may lack its newline. Outcomes: closed (there
  /// are no more), timed_out, stopped, message_too_long.
  Result<std::string_view> next(Deadline deadline);
  /// The how-manieth the last one was, from 1 on.
  std::uint64_t number() const noexcept { return number_; }

 private:
  Fd input_;
  std::string kept_;
  std::size_t at_ = 0;        // where the next line begins
  std::size_t searched_ = 0;  // up to where there is no newline
  bool ended_ = false;
  std::uint64_t number_ = 0;
};

}  // namespace tenon::cli
