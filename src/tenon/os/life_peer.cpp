#include <tenon/os/life_peer.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/life_own.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

Error corrupt(const LifeName& name, const char* why) { return Error(Errc::corrupt).on(name.text()).because(why); }

// Asks as a reader would: only a write lock is in a reader's way, and only who may write the file can hold one.
Result<bool> is_locked(FdView file) {
  struct flock lock{};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(file.raw(), F_GETLK, &lock) == -1) {
    return fail(os_failure("fcntl", errno));
  }
  return lock.l_type != F_UNLCK;
}

Result<struct stat> status_of(FdView directory, const std::string& name) {
  struct stat status{};
  if (::fstatat(directory.raw(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == -1) {
    return fail(os_failure("stat", errno).on(name));
  }
  return status;
}

Result<std::optional<LifeName>> name_with(FdView directory, Token token) {
  auto names = LifeName::all_in(directory);
  if (!names) {
    return fail(std::move(names.error()));
  }
  for (const LifeName& name : *names) {
    if (name.who.token == token && name.stage == LifeStage::member) {
      return std::optional(name);
    }
  }
  return std::optional<LifeName>();
}

}  // namespace

std::string_view name_of(Standing standing) noexcept {
  switch (standing) {
    case Standing::alive:
      return "alive";
    case Standing::left:
      return "left";
    case Standing::died:
      return "died";
    case Standing::absent:
      break;
  }
  return "absent";
}

Result<Standing> standing_of(const Domain& domain, Token token) {
  return name_with(domain.directory(), token).and_then([&](const std::optional<LifeName>& name) {
    return name ? standing_of(domain.directory(), *name) : Result<Standing>(Standing::absent);
  });
}

Result<Standing> standing_of(FdView directory, const LifeName& name) {
  auto peer = Peer::open(directory, name);
  if (peer.failed_with(Errc::not_found)) {
    return Standing::absent;
  }
  return std::move(peer).and_then([](const Peer& open) { return open.standing(); });
}

pid_t Peer::own_process() noexcept { return ::getpid(); }

Result<Peer> Peer::open(const Domain& domain, Token token) {
  return name_with(domain.directory(), token).and_then([&](const std::optional<LifeName>& name) {
    return name ? open(domain.directory(), *name) : fail(Error(Errc::not_found, "open").on(token.hex()));
  });
}

Result<Peer> Peer::open(FdView directory, const LifeName& name) {
  if (!may_be_own(name.who)) {
    return open_other(directory, name);
  }
  const auto status = status_of(directory, name.text());
  if (!status) {
    return fail(Error(status.error()));
  }
  if (const int number = own_descriptor_of(*status); number >= 0) {
    return Peer(number, status->st_dev, status->st_ino, name);
  }
  // It had its name, and no descriptor of ours led to it: so it was left over from before an exec, or belongs to
  // another namespace that /proc does not tell from ours. Opening it can drop no lock of ours.
  return open_other(directory, name);
}

Result<Peer> Peer::open_other(FdView directory, const LifeName& name) {
  const std::string text = name.text();
  const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;  // a planted FIFO must not block the asker
  auto file = fd_from(uninterrupted([&] { return ::openat(directory.raw(), text.c_str(), flags); }), "open");
  if (!file) {
    return fail(std::move(file.error()).on(text));
  }
  struct stat status{};
  if (::fstat(file->raw(), &status) == -1 || !S_ISREG(status.st_mode)) {
    return fail(Error(Errc::wrong_kind, "open").on(text).because("it is not a regular file"));
  }
  return Peer(std::move(*file), name);
}

Result<LifeRecord> Peer::record() const {
  LifeRecord record{};
  const auto got = uninterrupted([&] { return ::pread(file().raw(), &record, sizeof record, 0); });
  if (got == -1) {
    return fail(os_failure("pread", errno).on(name_.text()));
  }
  constexpr std::size_t fixed = offsetof(LifeRecord, name);
  if (static_cast<std::size_t>(got) < fixed) {
    return fail(corrupt(name_, "it is shorter than a life file's header"));
  }
  if (record.magic != life_magic) {
    return fail(corrupt(name_, "it does not begin as a life file does"));
  }
  if (record.layout_version != life_layout_version) {
    return fail(Error(Errc::version_mismatch)
                    .on(name_.text())
                    .because("it has layout version " + std::to_string(record.layout_version) +
                             ", this library reads version " + std::to_string(life_layout_version)));
  }
  if (record.size != sizeof record || static_cast<std::size_t>(got) != sizeof record ||
      record.token != name_.who.token.value() || record.name.back() != '\0' || record.command.back() != '\0') {
    return fail(corrupt(name_, "its content does not fit its name, size or layout"));
  }
  return record;
}

std::string Peer::message() const {
  std::string text = name_.who.message();
  if (const auto known = record()) {
    text += " (uid " + std::to_string(known->uid) + ")";
    const std::string_view command = known->command.data();
    text += ": " + escaped(command.empty() ? std::string_view(known->name.data()) : command);
  }
  return text;
}

Result<Standing> Peer::standing_of_own() const {
  if (opener_ != ::getpid()) {
    return fail(Error(Errc::in_child).on(name_.text()));
  }
  struct stat status{};
  const bool held =
      ::fstatat(own_number_, "", &status, AT_EMPTY_PATH) == 0 && status.st_dev == device_ && status.st_ino == inode_;
  return held ? Standing::alive : Standing::left;  // the process lives, so it did not die
}

Result<Standing> Peer::standing() const {
  if (is_own()) {
    return standing_of_own();
  }
  return is_locked(fd_.view()).transform([&](bool locked) {
    if (locked) {
      return Standing::alive;
    }
    return says_it_left() ? Standing::left : Standing::died;
  });
}

// A death that is not explained is a death.
bool Peer::says_it_left() const noexcept {
  std::uint32_t left = 0;
  const auto got = uninterrupted([&] { return ::pread(file().raw(), &left, sizeof left, offsetof(LifeRecord, left)); });
  return got == sizeof left && left == 1;
}

Result<Standing> Peer::wait_for_death(Deadline deadline) const {
  while (true) {
    if (auto now = standing(); !now || *now != Standing::alive) {
      return now;
    }
    if (deadline.passed()) {
      return fail(Errc::timed_out, "fcntl");
    }
    if (auto slept = sleep_until(deadline.or_sooner(after(recheck_interval))); slept.failed_with(Errc::stopped)) {
      return fail(Errc::stopped, "fcntl");
    }
  }
}

}  // namespace tenon
