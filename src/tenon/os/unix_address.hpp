#pragma once
/// Addresses of Unix sockets: a path, an abstract name, or none. unix(7)
#include <tenon/base/bytes.hpp>
#include <tenon/base/result.hpp>

#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

namespace tenon {

/// A value. Threads: as any value, reading from several at once.
class UnixAddress {
 public:
  static constexpr std::size_t max_bytes = 107;

  /// A name in the file system, 1 to 107 bytes without NUL: a longer one is refused, never cut.
  /// Failures: invalid_name.
  static Result<UnixAddress> path(std::string_view path);
  /// A name that lives as long as its socket, 1 to 107 bytes, any. Everybody in the network namespace may connect to
  /// it, whatever the user: a path has a mode, this has none. Failures: invalid_name.
  static Result<UnixAddress> abstract(std::string_view name);
  /// As people write it: "@name" is abstract, everything else a path.
  static Result<UnixAddress> parse(std::string_view text);
  /// What accept(2), getsockname(2) and recvfrom(2) filled in. Failures: corrupt.
  static Result<UnixAddress> from_kernel(const sockaddr_un& address, socklen_t length);

  bool is_abstract() const noexcept;
  /// The address of a socket that was never bound.
  bool is_unnamed() const noexcept;
  /// The path or the abstract name, without "@".
  std::string_view name() const noexcept;
  /// "@name" or the path, "" if unnamed.
  std::string text() const;

  const sockaddr* raw() const noexcept { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t length() const noexcept { return length_; }

 private:
  UnixAddress() noexcept = default;
  static UnixAddress make(std::string_view before, std::string_view name, std::string_view behind) noexcept;

  sockaddr_un address_{};
  socklen_t length_ = 0;
};

}  // namespace tenon
