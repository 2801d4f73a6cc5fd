#include <tenon/messaging/topic/topic_folder.hpp>

#include <tenon/base/name.hpp>
#include <tenon/messaging/topic/topic_layout.hpp>
#include <tenon/os/backoff.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/reserve.hpp>
#include <tenon/os/shared_socket.hpp>
#include <tenon/os/sharing.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <new>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr const char* bell_name = "bell";
constexpr std::size_t bell_bytes = 4096;
static_assert(sizeof(BellPage) <= bell_bytes);
// Whoever leaves holds the lock for a few system calls; who keeps it longer does so on purpose, or is stopped.
constexpr std::chrono::seconds lock_patience{1};

Result<void> lock(FdView directory, int how) {
  Backoff backoff(after(lock_patience));
  while (uninterrupted([&] { return ::flock(directory.raw(), how | LOCK_NB); }) == -1) {
    if (errno != EWOULDBLOCK) {
      return fail(os_failure("flock", errno));
    }
    if (!backoff.sleep()) {
      return fail(Error(Errc::would_block, "flock").because("somebody keeps the topic's directory locked"));
    }
  }
  return {};
}

Result<Mapping> map_bell(FdView directory, const Sharing& sharing) {
  const int raw = uninterrupted([&] { return ::openat(directory.raw(), bell_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW); });
  if (raw != -1) {
    const Fd file = Fd::adopt(raw);
    struct stat status{};
    if (::fstat(raw, &status) == -1 || status.st_size < static_cast<off_t>(bell_bytes)) {
      return fail(Error(Errc::corrupt, "open").on(bell_name).because("it is shorter than a bell"));
    }
    return Mapping::of_file(file.view(), bell_bytes, Access::read_write);
  }
  if (errno != ENOENT) {
    return fail(os_failure("openat", errno).on(bell_name));
  }
  const std::string draft = "." + std::string(bell_name) + "." + Token::random().hex();
  auto file = create_file(directory, draft.c_str(), sharing.is_shared() ? owner_and_group : owner_only);
  if (!file) {
    return fail(std::move(file.error()));
  }
  const auto named =
      reserve(file->view(), 0, bell_bytes)
          .and_then([&] { return give_to_group(file->view(), sharing); })
          .and_then([&]() -> Result<void> {
            return ::renameat2(directory.raw(), draft.c_str(), directory.raw(), bell_name, RENAME_NOREPLACE) == 0
                       ? Result<void>()
                       : fail(os_failure("renameat2", errno));
          });
  if (named) {
    return Mapping::of_file(file->view(), bell_bytes, Access::read_write);
  }
  ::unlinkat(directory.raw(), draft.c_str(), 0);
  return named.failed_with(Errc::already_exists) ? map_bell(directory, sharing) : fail(Error(named.error()));
}

// What names() does not tell of: bells half made, and sockets of those who were killed as they made them.
void remove_drafts(FdView directory) noexcept {
  const int raw = uninterrupted([&] { return ::openat(directory.raw(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  DIR* const open = raw == -1 ? nullptr : ::fdopendir(raw);
  for (const dirent* entry = open == nullptr ? nullptr : ::readdir(open); entry != nullptr; entry = ::readdir(open)) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(".bell.") || name.starts_with("wake.")) {
      ::unlinkat(directory.raw(), entry->d_name, 0);
    }
  }
  if (open != nullptr) {
    ::closedir(open);
  }
}

bool was_removed(FdView directory) noexcept {
  struct stat status{};
  return ::fstat(directory.raw(), &status) == -1 || status.st_nlink == 0;
}

}  // namespace

Result<TopicFolder> TopicFolder::enter(const Holder& holder, std::string_view topic) {
  const auto checked = Name::make(topic, topic_directory_prefix.size());
  return checked
             ? enter_at(holder, holder.domain().path() + "/" + std::string(topic_directory_prefix) + checked->text(),
                        checked->text())
             : fail(Error(checked.error()));
}

Result<TopicFolder> TopicFolder::enter_at(const Holder& holder, const std::string& path, std::string_view name) {
  const auto sharing =
      holder.may_share(holder.domain_id()).and_then([&] { return Sharing::of(holder.domain().directory()); });
  if (!sharing) {
    return fail(Error(sharing.error()).on(name));
  }
  constexpr int most_turns = 64;  // each lost turn is somebody else's leaving in between
  for (int turn = 0; turn < most_turns; ++turn) {
    auto opened = Domain::open(path, Permissions(sharing->mode));
    if (!opened) {
      return fail(std::move(opened.error()));
    }
    const FdView directory = opened->directory();
    auto bell =
        give_to_group(directory, *sharing)
            .and_then([&] { return lock(directory, LOCK_SH); })
            .and_then([&]() -> Result<Mapping> {
              return was_removed(directory) ? Result<Mapping>(fail(Errc::not_found)) : map_bell(directory, *sharing);
            });
    if (bell) {
      return TopicFolder(std::move(*opened), std::move(*bell), std::string(name));
    }
    if (!bell.failed_with(Errc::not_found)) {
      return fail(std::move(bell.error()).on(path));
    }
  }
  return fail(Error(Errc::not_found, "open").on(path).because("somebody removes it again and again"));
}

Result<TopicFolder::File> TopicFolder::publish(const EndpointName& name, std::size_t bytes,
                                               const std::function<void(MutableBytes)>& fill) {
  const auto sharing = Sharing::of(directory());
  if (!sharing) {
    return fail(Error(sharing.error()));
  }
  EndpointName draft = name;
  draft.unfinished = true;
  const std::string unfinished = draft.text();
  auto fd = create_file(directory(), unfinished.c_str(), Permissions(sharing->is_shared() ? 0640 : 0600));
  if (!fd) {
    return fail(std::move(fd.error()));
  }
  auto memory = give_to_group(fd->view(), *sharing)
                    .and_then([&] { return reserve(fd->view(), 0, bytes); })
                    .and_then([&] { return Mapping::of_file(fd->view(), bytes, Access::read_write); })
                    .and_then([&](Mapping mapped) -> Result<Mapping> {
                      fill(mapped.bytes());
                      if (::renameat2(directory().raw(), unfinished.c_str(), directory().raw(), name.text().c_str(),
                                      RENAME_NOREPLACE) == -1) {
                        return fail(os_failure("renameat2", errno));
                      }
                      return mapped;
                    });
  if (!memory) {
    ::unlinkat(directory().raw(), unfinished.c_str(), 0);
    return fail(std::move(memory.error()).on(topic_));
  }
  return File{.fd = std::move(*fd), .memory = std::move(*memory)};
}

void TopicFolder::admit() noexcept { ::flock(directory().raw(), LOCK_UN); }

bool TopicFolder::has_changed() noexcept {
  const std::int64_t asked = file_clock_now();
  struct stat status{};
  if (::fstat(directory().raw(), &status) == -1) {
    return true;
  }
  const std::int64_t time = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  const bool changed = time != seen_time_;
  // Within one tick of their clock two changes look alike: until it has gone on, the next call says changed again.
  seen_time_ = is_past_file_time(asked, time) ? time : -1;
  return changed;
}

Result<Fd> TopicFolder::open(const EndpointName& name) const {
  const std::string text = name.text();
  auto fd = fd_from(
      uninterrupted([&] { return ::openat(directory().raw(), text.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW); }),
      "openat");
  return fd ? std::move(fd) : Result<Fd>(fail(std::move(fd.error()).on(topic_ + "/" + text)));
}

Result<std::uint64_t> TopicFolder::bytes_of(const EndpointName& name) const {
  struct stat status{};
  if (::fstatat(directory().raw(), name.text().c_str(), &status, AT_SYMLINK_NOFOLLOW) == -1) {
    return fail(os_failure("fstatat", errno));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

void TopicFolder::remove(const EndpointName& name) const noexcept {
  if (name.kind == EndpointKind::subscriber && !name.unfinished) {
    ::unlinkat(directory().raw(), wake_name_of(name.token).c_str(), 0);
  }
  ::unlinkat(directory().raw(), name.text().c_str(), 0);
}

UnixAddress TopicFolder::wake_address_of(Token subscriber) const {
  return address_in(directory(), wake_name_of(subscriber));
}

Result<void> TopicFolder::bind_wake(FdView socket, Token subscriber) const {
  return bind_in(directory(), wake_name_of(subscriber), socket);
}

void TopicFolder::remove_if_empty() noexcept {
  // Two who leave at once: the second to have the lock sees that both have left.
  if (!lock(directory(), LOCK_EX)) {
    return;
  }
  const auto left = names();
  const bool is_empty = left && std::ranges::all_of(*left, [](const EndpointName& name) { return name.unfinished; });
  if (is_empty) {
    // Whoever makes one holds the lock: these are of those who were killed.
    std::ranges::for_each(*left, [this](const EndpointName& name) { remove(name); });
    remove_drafts(directory());
    // Without a bell, should the directory stay, the next who comes makes it anew.
    ::unlinkat(directory().raw(), bell_name, 0);
    ::rmdir(directory_.path().c_str());
  }
  admit();
}

}  // namespace tenon
