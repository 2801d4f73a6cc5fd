#pragma once
/// The files of a stream's two ends: one's own, and the other's as this end sees it.
///
/// A file gets its name when it is whole (open(2), O_TMPFILE), so nobody sees half of one, and who is killed before
/// leaves nothing. It loses its name when its end closes, or by the next who comes and finds its owner dead. Whoever
/// takes a name away holds the lock of that very file (flock(2)) and has looked, under it, that the name still leads
/// there: so of two who clean up neither takes away what a third has made since. The kernel drops the lock at death.
///
/// Threads: one at a time.
#include <tenon/base/name.hpp>
#include <tenon/messaging/stream/stream_layout.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/unix_address.hpp>
#include <tenon/sync/holder.hpp>

#include <span>
#include <string>

namespace tenon {

/// Which end of which stream a file is.
struct StreamFileName {
  StreamRole role;
  std::string text;  ///< of the file

  /// Failures: invalid_name.
  static Result<StreamFileName> make(StreamRole role, std::string_view stream);
};

struct StreamShape {
  std::uint64_t capacity = 0;  ///< 0: the reader's
  std::uint64_t first = 0;     ///< where the counts begin, and the bell: other than 0 in tests alone
  std::uint32_t first_bell = 0;
};

class OwnStreamFile {
 public:
  /// Outcomes: already_exists (there is such an end). Failures: no_space, limit_reached, permission_denied.
  static Result<OwnStreamFile> create(const Holder& holder, const StreamFileName& name, const StreamShape& shape);

  const StreamHeader& header() const noexcept { return header_; }
  StreamState& state() const noexcept { return *reinterpret_cast<StreamState*>(memory_.data() + stream_state_at); }
  MutableBytes bytes() const noexcept { return {memory_.data() + header_.bytes_at, header_.capacity}; }
  /// Whether the file still has its name: somebody else may have taken that away.
  bool has_name() const noexcept;
  void remove_name(FdView directory) const noexcept;

 private:
  OwnStreamFile(Fd file, Mapping memory, const StreamHeader& header, StreamFileName name) noexcept
      : file_(std::move(file)), memory_(std::move(memory)), header_(header), name_(std::move(name)) {}

  Fd file_;
  Mapping memory_;
  StreamHeader header_;
  StreamFileName name_;
};

/// Mapped read-only. What its header says was copied before it was checked.
class OtherStreamFile {
 public:
  /// Outcomes: not_found. Failures: corrupt, version_mismatch, not_supported (the sealed mode), wrong_kind,
  /// limit_reached, permission_denied.
  static Result<OtherStreamFile> open(const Domain& domain, const StreamFileName& name);

  const StreamHeader& header() const noexcept { return header_; }
  const StreamState& state() const noexcept {
    return *reinterpret_cast<const StreamState*>(memory_.data() + stream_state_at);
  }
  Bytes bytes() const noexcept { return {memory_.data() + header_.bytes_at, header_.capacity}; }
  /// Takes its name away, and its socket's: said once its owner is known to be dead. Outcomes: would_block (somebody
  /// keeps it locked).
  Result<void> remove_name(FdView directory) const;

 private:
  OtherStreamFile(Fd file, Mapping memory, const StreamHeader& header, StreamFileName name) noexcept
      : file_(std::move(file)), memory_(std::move(memory)), header_(header), name_(std::move(name)) {}

  Fd file_;
  Mapping memory_;
  StreamHeader header_;
  StreamFileName name_;
};

/// The file of an end's socket.
std::string stream_wake_name(Token end);
/// What to bind and to send to: by the directory's descriptor, since its path may be longer than an address.
UnixAddress stream_wake_address(FdView directory, Token end);

}  // namespace tenon
