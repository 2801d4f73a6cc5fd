#include <tenon/os/unix_address.hpp>

#include <tenon/base/name.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace tenon {

namespace {

constexpr std::size_t name_offset = offsetof(sockaddr_un, sun_path);
static_assert(sizeof(sockaddr_un::sun_path) == UnixAddress::max_bytes + 1);

Fail invalid(std::string_view name, std::string_view why) {
  return fail(Error(Errc::invalid_name).on(name).because(why));
}

Result<void> check_length(std::string_view name) {
  if (name.empty()) {
    return invalid(name, "it is empty");
  }
  if (name.size() > UnixAddress::max_bytes) {
    return invalid(name, "it has " + std::to_string(name.size()) +
                             " bytes, a socket's address takes at most 107: take a "
                             "shorter path, one relative to the working directory, or an abstract name (@NAME)");
  }
  return {};
}

}  // namespace

UnixAddress UnixAddress::make(std::string_view before, std::string_view name, std::string_view behind) noexcept {
  UnixAddress made;
  made.address_.sun_family = AF_UNIX;
  std::size_t at = 0;
  for (const std::string_view part : {before, name, behind}) {
    std::memcpy(made.address_.sun_path + at, part.data(), part.size());
    at += part.size();
  }
  made.length_ = static_cast<socklen_t>(name_offset + at);
  return made;
}

Result<UnixAddress> UnixAddress::path(std::string_view path) {
  if (auto checked = check_length(path); !checked) {
    return fail(std::move(checked.error()));
  }
  if (auto checked = check_path(path); !checked) {
    return fail(std::move(checked.error()));
  }
  return make("", path, std::string_view("\0", 1));
}

Result<UnixAddress> UnixAddress::abstract(std::string_view name) {
  if (auto checked = check_length(name); !checked) {
    return fail(std::move(checked.error()));
  }
  return make(std::string_view("\0", 1), name, "");
}

Result<UnixAddress> UnixAddress::parse(std::string_view text) {
  if (!text.starts_with('@')) {
    return path(text);
  }
  auto named = abstract(text.substr(1));
  return named ? named : fail(std::move(named.error()).on(text));  // as it was written, with its @
}

Result<UnixAddress> UnixAddress::from_kernel(const sockaddr_un& address, socklen_t length) {
  // recvfrom() and accept() leave length 0 for a peer without a name, and then nothing in the address counts. For a
  // path of 108 bytes, which has no NUL, they count one that is not there: unix(7), "Bugs".
  if (length > sizeof address + 1 || (length >= name_offset && address.sun_family != AF_UNIX)) {
    return fail(Error(Errc::corrupt).because("it is not the address of a Unix socket"));
  }
  length = std::min(length, static_cast<socklen_t>(sizeof address));
  UnixAddress made;
  made.address_.sun_family = AF_UNIX;
  made.length_ = name_offset;
  if (length > name_offset) {
    std::memcpy(made.address_.sun_path, address.sun_path, length - name_offset);
    made.length_ = length;
  }
  return made;
}

bool UnixAddress::is_unnamed() const noexcept { return length_ <= name_offset; }
bool UnixAddress::is_abstract() const noexcept { return !is_unnamed() && address_.sun_path[0] == '\0'; }

std::string_view UnixAddress::name() const noexcept {
  if (is_unnamed()) {
    return "";
  }
  if (is_abstract()) {
    return {address_.sun_path + 1, length_ - name_offset - 1};
  }
  // The kernel counts the terminating NUL or not, as whoever bound it did.
  return {address_.sun_path, ::strnlen(address_.sun_path, length_ - name_offset)};
}

std::string UnixAddress::text() const { return is_abstract() ? "@" + std::string(name()) : std::string(name()); }

}  // namespace tenon
