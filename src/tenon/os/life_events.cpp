#include <tenon/os/life_events.hpp>

#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <sys/inotify.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::uint32_t watched = IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR;

Error inotify_limit(const char* call, int os_error, const std::string& name) {
  const std::uint64_t value = procfs::number("/proc/sys/fs/inotify/" + name).value_or(0);
  return Error(Errc::limit_reached, call, os_error)
      .with({.name = "fs.inotify." + name,
             .value = value,
             .wanted = value + 1,
             .remedy = "raise it with: sysctl -w fs.inotify." + name + "=" + std::to_string(value * 4)});
}

// EMFILE stands for two limits; a descriptor of another kind tells which.
Error instance_failure(FdView directory, int os_error) {
  const bool of_inotify = os_error == EMFILE && directory.duplicate();
  return of_inotify ? inotify_limit("inotify_init1", os_error, "max_user_instances")
                    : descriptor_failure("inotify_init1", os_error);
}

std::optional<LifeEvent::What> what_of(std::uint32_t mask) noexcept {
  using What = LifeEvent::What;
  return (mask & IN_MOVED_TO) != 0      ? std::optional(What::joined)
         : (mask & IN_MOVED_FROM) != 0  ? std::optional(What::left)
         : (mask & IN_CLOSE_WRITE) != 0 ? std::optional(What::closed)
         : (mask & IN_DELETE) != 0      ? std::optional(What::removed)
                                        : std::nullopt;
}

void take_event(const inotify_event& event, std::string_view text, LifeEvents::Drained& into) {
  into.overflowed = into.overflowed || (event.mask & IN_Q_OVERFLOW) != 0;
  const auto what = what_of(event.mask);
  const auto name = LifeName::parse(text);
  if (what && name && name->stage == LifeStage::member) {
    into.events.push_back({.what = *what, .name = *name});
  }
}

}  // namespace

Result<LifeEvents> LifeEvents::of(FdView directory) {
  const int raw = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (raw == -1) {
    return fail(instance_failure(directory, errno));
  }
  LifeEvents events(Fd::adopt(raw));
  // By descriptor: the directory's path may lead elsewhere by now.
  const std::string path = procfs::link_to(directory);
  if (::inotify_add_watch(raw, path.c_str(), watched) == -1) {
    const int error = errno;
    return fail(error == ENOSPC ? inotify_limit("inotify_add_watch", error, "max_user_watches")
                : error == ENOENT
                    ? Error(Errc::not_found, "inotify_add_watch", error).on(path).because("there is no /proc")
                    : os_failure("inotify_add_watch", error).on(path));
  }
  return events;
}

Result<LifeEvents::Drained> LifeEvents::drain() {
  Drained drained;
  alignas(inotify_event) std::array<char, 8192> buffer;
  while (true) {
    const ssize_t got = uninterrupted([&] { return ::read(fd_.raw(), buffer.data(), buffer.size()); });
    if (got == -1 && errno == EAGAIN) {
      return drained;
    }
    if (got == -1) {
      return fail(os_failure("read", errno));
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string_view padded(buffer.data() + at + sizeof event, event.len);
      take_event(event, padded.substr(0, padded.find('\0')), drained);
      at += sizeof event + event.len;
    }
  }
}

bool is_inotify_limit(const Error& error) noexcept {
  return error.limit() != nullptr && error.limit()->name.starts_with("fs.inotify.");
}

}  // namespace tenon
