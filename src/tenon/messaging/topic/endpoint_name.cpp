#include <tenon/messaging/topic/endpoint_name.hpp>

#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::size_t token_digits = 16;

}  // namespace

std::string EndpointName::text() const {
  const char* const which = kind == EndpointKind::publisher ? "pub." : "sub.";
  return (unfinished ? "." : "") + (which + token.hex()) + "." + life.hex();
}

std::optional<EndpointName> EndpointName::parse(std::string_view text) {
  EndpointName name{.kind = EndpointKind::publisher, .token = nobody, .life = nobody};
  if (text.starts_with('.')) {
    name.unfinished = true;
    text.remove_prefix(1);
  }
  if (text.size() != 4 + token_digits + 1 + token_digits || text[4 + token_digits] != '.') {
    return std::nullopt;
  }
  if (text.starts_with("sub.")) {
    name.kind = EndpointKind::subscriber;
  } else if (!text.starts_with("pub.")) {
    return std::nullopt;
  }
  const auto token = Token::parse(text.substr(4, token_digits));
  const auto life = Token::parse(text.substr(4 + token_digits + 1));
  if (!token || !life) {
    return std::nullopt;
  }
  name.token = *token;
  name.life = *life;
  return name;
}

Result<std::vector<EndpointName>> EndpointName::all_in(FdView directory) {
  // Opened anew: a descriptor's position in the directory is shared by its duplicates.
  const int raw = uninterrupted([&] { return ::openat(directory.raw(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (raw == -1) {
    return fail(os_failure("openat", errno));
  }
  const std::unique_ptr<DIR, void (*)(DIR*)> open(::fdopendir(raw), [](DIR* opened) { ::closedir(opened); });
  if (open == nullptr) {
    const int error = errno;
    ::close(raw);
    return fail(os_failure("fdopendir", error));
  }
  std::vector<EndpointName> names;
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(open.get());
    if (entry == nullptr) {
      break;
    }
    if (const auto name = parse(entry->d_name)) {
      names.push_back(*name);
    }
  }
  return errno == 0 ? Result<std::vector<EndpointName>>(std::move(names)) : fail(os_failure("readdir", errno));
}

}  // namespace tenon
