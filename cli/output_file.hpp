#pragma once
/// Where `tenon recv` puts what it gets: never half a file under the name that was asked for.
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

class OutputFile {
 public:
  /// Standard output for "-" and for "". Otherwise PATH.partial until commit() gives it its name; a device or pipe at
  /// PATH is written as it is, a FIFO once somebody reads it. What was planted at PATH.partial (a symlink, another's
  /// file, a second name of one) is refused. Outcomes: already_exists (another transfer writes the same file),
  /// timed_out, stopped (nobody reads the FIFO). Failures: wrong_kind (a directory), permission_denied, not_found (its
  /// directory), no_space.
  static Result<OutputFile> open(const std::string& path, Deadline deadline);
  /// Whether open() would have a chance, before anything is received.
  static Result<void> check(const std::string& path);

  /// Takes the bytes; they are written when enough have come together, or by flush(). Outcomes: as flush().
  Result<void> write(Bytes bytes, Deadline deadline);
  /// Outcomes: stopped, timed_out (a full pipe behind standard output), closed (nobody reads standard output).
  Result<void> flush(Deadline deadline);
  bool has_unwritten() const noexcept { return !unwritten_.empty(); }
  /// Outcomes: as flush().
  Result<void> commit(Deadline deadline);
  /// Leaves what came under the partial name, or removes that if nothing came. Returns the name, "" if there is none.
  std::string leave_partial();

 private:
  OutputFile(Fd file, std::string path, std::string partial);
  Result<std::size_t> write_some(Bytes bytes, Deadline deadline);

  Fd file_;
  std::string path_;
  std::string partial_;  // "" where what is written cannot be taken back
  bool may_block_;       // a pipe, a terminal: written in pieces that a wait can stand between
  std::vector<std::byte> unwritten_;
  std::uint64_t written_ = 0;
};

/// Writes all of the text to standard output: a command that could not say what it was asked for must not end as if it
/// had. Outcomes: as OutputFile::flush(). Failures: no_space.
Result<void> print_whole(std::string_view text, Deadline deadline);

}  // namespace tenon::cli
