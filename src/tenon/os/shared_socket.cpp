#include <tenon/os/shared_socket.hpp>

#include <tenon/os/sharing.hpp>
#include <tenon/os/socket_name.hpp>

namespace tenon {

UnixAddress address_in(FdView directory, const std::string& name) {
  // Far shorter than an address may be, unless the name is longer than the names of this library's own.
  return UnixAddress::path("/proc/self/fd/" + std::to_string(directory.raw()) + "/" + name).or_throw();
}

Result<void> bind_in(FdView directory, const std::string& name, FdView socket) {
  return Sharing::of(directory).and_then([&](const Sharing& sharing) {
    const Permissions permissions = sharing.is_shared() ? owner_and_group : owner_only;
    return bind_socket(socket, address_in(directory, name), permissions).and_then([&] {
      return give_name_to_group(directory, name, sharing);
    });
  });
}

}  // namespace tenon
