#pragma once
/// A socket's name in a directory that is shared: by the directory's descriptor, since the path of a domain may be
/// longer than a socket's address. unix(7)
#include <tenon/os/fd.hpp>
#include <tenon/os/unix_address.hpp>

#include <string>

namespace tenon {

/// What to bind and to send to, for as long as the directory is open.
UnixAddress address_in(FdView directory, const std::string& name);
/// Gives the socket that name, for those who may use the directory. Failures: permission_denied, no_space,
/// already_exists.
Result<void> bind_in(FdView directory, const std::string& name, FdView socket);

}  // namespace tenon
