#include <tenon/os/credentials.hpp>

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace tenon {

Credentials own_credentials() noexcept { return {.pid = ::getpid(), .uid = ::geteuid(), .gid = ::getegid()}; }

Result<Credentials> peer_credentials(FdView socket) {
  struct ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket.raw(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == -1) {
    return fail(os_failure("getsockopt", errno));
  }
  // An unconnected socket answers with pid 0 and the overflow user instead of an error.
  if (peer.pid == 0 && peer.uid == static_cast<uid_t>(-1)) {
    return fail(Errc::no_peer, "getsockopt");
  }
  return Credentials{.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
}

Result<Fd> peer_process(FdView socket) {
  constexpr int so_peerpidfd = 77;  // Debian 12's headers do not have it
  int pidfd = -1;
  socklen_t length = sizeof pidfd;
  if (::getsockopt(socket.raw(), SOL_SOCKET, so_peerpidfd, &pidfd, &length) == 0) {
    return Fd::adopt(pidfd);
  }
  if (errno == ENOPROTOOPT) {
    return fail(Error(Errc::not_supported, "getsockopt", errno).because("SO_PEERPIDFD needs Linux 6.5"));
  }
  return fail(errno == ENODATA ? Error(Errc::no_peer, "getsockopt", errno) : descriptor_failure("getsockopt", errno));
}

}  // namespace tenon
