#include <tenon/os/life.hpp>

#include <tenon/base/bytes.hpp>
#include <tenon/base/contract.hpp>
#include <tenon/os/above_standard.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/held_file.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

// A cleaner takes the file only between two system calls of ours; so often in a row it is no accident.
constexpr int most_attempts = 64;
// A join among thousands of the dead must not take the time to bury them all. It looks at more than it buries, so that
// it finds the dead among the living too.
constexpr SweepLimits swept_at_joining = {.removals = 64, .looks = 256};

template <std::size_t Size>
void put_text(std::array<char, Size>& into, std::string_view text) {
  text.copy(into.data(), Size - 1);
}

LifeRecord record_of(const Member& self) {
  LifeRecord record{};
  record.magic = life_magic;
  record.layout_version = life_layout_version;
  record.size = sizeof record;
  record.token = self.token.value();
  record.pid_namespace = self.pid_namespace;
  record.start_time = self.start_time;
  record.joined = realtime_now();
  record.pid = self.pid;
  record.uid = ::geteuid();
  record.library_version = life_library_version;
  ::prctl(PR_GET_NAME, record.name.data());  // at most 16 bytes with the NUL
  std::string command = procfs::text("/proc/self/cmdline").value_or(std::string());
  std::ranges::replace(command, '\0', ' ');
  command.resize(command.find_last_not_of(' ') + 1);
  put_text(record.command, command);
  return record;
}

Result<void> lock(FdView file) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(file.raw(), F_SETLK, &lock) == -1) {
    const int error = errno;
    const bool no_locks = error == EINVAL || error == EOPNOTSUPP;
    return fail(error == ENOLCK ? Error(Errc::limit_reached, "fcntl", error).because("the kernel has no more locks")
                : no_locks      ? Error(Errc::not_supported, "fcntl", error).because("the file system has no locks")
                                : os_failure("fcntl", error));
  }
  return {};
}

Result<void> write_record(FdView file, const LifeRecord& record) {
  const Bytes bytes = bytes_of_value(record);
  const ssize_t written = uninterrupted([&] { return ::pwrite(file.raw(), bytes.data(), bytes.size(), 0); });
  if (written == -1) {
    return fail(os_failure("write", errno));
  }
  return static_cast<std::size_t>(written) == bytes.size() ? Result<void>() : fail(Errc::no_space, "write");
}

Result<void> rename_new(FdView directory, const std::string& from, const std::string& to) {
  if (::renameat2(directory.raw(), from.c_str(), directory.raw(), to.c_str(), RENAME_NOREPLACE) == -1) {
    return fail(os_failure("renameat2", errno).on(from));
  }
  return {};
}

struct Sharing {
  Permissions permissions;
  gid_t group;
};

// Whoever shares the directory may read the file and so ask for the lock; only its owner may write it, and so hold one.
Result<Sharing> sharing_of(FdView directory) {
  struct stat status{};
  if (::fstat(directory.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  const bool shared = (status.st_mode & S_IWGRP) != 0;
  return Sharing{.permissions = Permissions(shared ? 0640 : 0600), .group = status.st_gid};
}

// A directory without the set-group-id bit gives new files their creator's group.
Result<void> give_to_group(FdView file, const Sharing& sharing) {
  struct stat status{};
  const bool shared = sharing.permissions != owner_only;
  if (shared && ::fstat(file.raw(), &status) == 0 && status.st_gid != sharing.group &&
      ::fchown(file.raw(), static_cast<uid_t>(-1), sharing.group) == -1) {
    return fail(os_failure("fchown", errno).because("its members would not see this process"));
  }
  return {};
}

Result<void> prepare(FdView file, const LifeRecord& record, const Sharing& sharing) {
  // Locked first: until then a cleaner takes it for a dead one's.
  return lock(file).and_then([&] { return write_record(file, record); }).and_then([&] {
    return give_to_group(file, sharing);
  });
}

}  // namespace

Life::Life(Fd directory, std::unique_ptr<HeldFile> file, const LifeName& name)
    : directory_(std::move(directory)), file_(std::move(file)), name_(name) {}
Life::Life(Life&&) noexcept = default;
// Leaves with its own at once: kept in `other`, the old membership would count as alive for as long as that stays.
Life& Life::operator=(Life&& other) noexcept {
  Life taken(std::move(other));
  std::swap(directory_, taken.directory_);
  std::swap(file_, taken.file_);
  std::swap(name_, taken.name_);
  std::swap(left_, taken.left_);
  return *this;
}

Life::~Life() {
  if (file_ != nullptr && file_->is_of_this_process()) {
    [[maybe_unused]] const auto dropped = unpublish();
  }
}

Result<Life> Life::join(const Domain& domain) {
  [[maybe_unused]] const auto swept = sweep(domain, swept_at_joining);
  auto directory = domain.directory().duplicate().and_then(above_standard);
  if (!directory) {
    return fail(std::move(directory.error()));
  }
  const auto sharing = sharing_of(directory->view());
  if (!sharing) {
    return fail(Error(sharing.error()));
  }
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    // A new token each time, for a name that was once taken away must not come back.
    const LifeName name{.stage = LifeStage::member, .who = Member::self()};
    const std::string unfinished = LifeName{.stage = LifeStage::joining, .who = name.who}.text();
    auto file = HeldFile::create(directory->view(), unfinished.c_str(), sharing->permissions);
    if (!file) {
      return fail(std::move(file.error()));
    }
    auto published = prepare((*file)->fd(), record_of(name.who), *sharing).and_then([&] {
      return rename_new(directory->view(), unfinished, name.text());
    });
    if (published) {
      return Life(std::move(*directory), std::move(*file), name);
    }
    ::unlinkat(directory->raw(), unfinished.c_str(), 0);
    if (!published.failed_with(Errc::not_found)) {
      return fail(std::move(published.error()).on(domain.path()));
    }
  }
  return fail(Error(Errc::stale, "renameat2").on(domain.path()).because("somebody removes the files of all who join"));
}

Result<void> Life::confirm() const {
  expects(file_ != nullptr, "a life that was moved from or has left is not asked");
  if (!file_->is_of_this_process()) {
    return fail(Error(Errc::in_child).on(name_.text()));
  }
  struct stat status{};
  if (::fstat(file_->fd().raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(name_.text()));
  }
  return status.st_nlink > 0 ? Result<void>() : fail(Error(Errc::not_found).on(name_.text()));
}

Result<void> Life::leave() && {
  expects(file_ != nullptr, "a life is left once");
  if (!file_->is_of_this_process()) {
    return fail(Error(Errc::in_child).on(name_.text()));
  }
  return unpublish();
}

// Said in the file for those who have it open, and by the name for those who are told of names alone: a member's own
// name is only ever removed by a cleaner.
Result<void> Life::unpublish() {
  const auto file = std::exchange(file_, nullptr);
  left_->store(true, std::memory_order_relaxed);  // of this very process, which orders its own calls
  const std::uint32_t left = 1;
  [[maybe_unused]] const auto written =
      uninterrupted([&] { return ::pwrite(file->fd().raw(), &left, sizeof left, offsetof(LifeRecord, left)); });
  const std::string leaving = LifeName{.stage = LifeStage::leaving, .who = name_.who}.text();
  auto renamed = rename_new(directory_.view(), name_.text(), leaving);
  if (renamed && ::unlinkat(directory_.raw(), leaving.c_str(), 0) == -1) {
    return fail(os_failure("unlink", errno).on(leaving));
  }
  return renamed;
}

}  // namespace tenon
