#include <tenon/sync/lock_order_mapping.hpp>

#include <tenon/base/bytes.hpp>
#include <tenon/os/above_standard.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/create_or_open.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/reserve.hpp>
#include <tenon/os/system_call.hpp>
#include <tenon/os/token.hpp>

#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

std::string path_in(const Domain& domain) { return domain.path() + "/" + lock_order_name; }

Error corrupt(const Domain& domain, const std::string& why) {
  return Error(Errc::corrupt, "open").on(path_in(domain)).because(why + "; remove it: tenon locks --forget");
}

Result<struct stat> status_of(FdView file) {
  struct stat status{};
  if (::fstat(file.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return status;
}

LockOrderHeader new_header() {
  LockOrderHeader header{};
  header.magic = lock_order_magic;
  header.layout_version = lock_order_layout_version;
  header.size = sizeof(LockOrderFile);
  header.locks = most_locks;
  header.orders = most_orders;
  header.places = most_places;
  header.holds = most_holds;
  header.made = realtime_now();
  return header;
}

Result<void> check_header(const Domain& domain, FdView file) {
  LockOrderHeader header{};
  const MutableBytes into = mutable_bytes_of_value(header);
  const auto got = uninterrupted([&] { return ::pread(file.raw(), into.data(), into.size(), 0); });
  if (got != static_cast<ssize_t>(sizeof header) || header.magic != lock_order_magic) {
    return fail(corrupt(domain, "it is no order of locks"));
  }
  if (header.layout_version != lock_order_layout_version) {
    return fail(Error(Errc::version_mismatch, "open")
                    .on(path_in(domain))
                    .because("it has layout " + std::to_string(header.layout_version) + ", and this library knows " +
                             std::to_string(lock_order_layout_version)));
  }
  const LockOrderHeader expected = new_header();
  const bool fits = header.size == expected.size && header.locks == expected.locks &&
                    header.orders == expected.orders && header.places == expected.places &&
                    header.holds == expected.holds;
  return fits ? Result<void>() : fail(corrupt(domain, "its tables have other sizes than layout 1 has"));
}

// In a domain that a group shares, whoever may write there may write this; in any other its owner alone.
Result<void> check_owner(const Domain& domain, const struct stat& file) {
  const auto directory = status_of(domain.directory());
  if (!directory) {
    return fail(Error(directory.error()).on(domain.path()));
  }
  const bool shared = (directory->st_mode & S_IWGRP) != 0 && file.st_gid == directory->st_gid;
  if (file.st_uid != ::geteuid() && !shared) {
    return fail(Error(Errc::permission_denied, "open")
                    .on(path_in(domain))
                    .because("it belongs to uid " + std::to_string(file.st_uid)));
  }
  return {};
}

Result<void> prepare(FdView file, const struct stat& directory) {
  const bool shared = (directory.st_mode & S_IWGRP) != 0;
  if (shared && ::fchown(file.raw(), static_cast<uid_t>(-1), directory.st_gid) == -1) {
    return fail(os_failure("fchown", errno).because("the domain's group would not get at it"));
  }
  if (auto reserved = reserve(file, 0, sizeof(LockOrderFile)); !reserved) {
    return reserved;
  }
  const LockOrderHeader header = new_header();
  const Bytes bytes = bytes_of_value(header);
  const auto written = uninterrupted([&] { return ::pwrite(file.raw(), bytes.data(), bytes.size(), 0); });
  return written == static_cast<ssize_t>(bytes.size()) ? Result<void>()
                                                       : fail(os_failure("pwrite", written == -1 ? errno : ENOSPC));
}

constexpr std::string_view draft_prefix = ".lock-order.";

// What makers who were killed have left. One who lives and loses its draft finds the whole file, or begins anew.
void sweep_drafts(const Domain& domain) {
  auto again = fd_from(::openat(domain.directory().raw(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
  const std::unique_ptr<DIR, void (*)(DIR*)> entries(again ? ::fdopendir(again->raw()) : nullptr,
                                                     [](DIR* open) { ::closedir(open); });
  if (!entries) {
    return;
  }
  [[maybe_unused]] const int owned_by_entries = std::move(*again).release();
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(draft_prefix) && Token::parse(name.substr(draft_prefix.size()))) {
      ::unlinkat(domain.directory().raw(), entry->d_name, 0);
    }
  }
}

// Under another name until it is whole. Outcomes: already_exists.
Result<void> create(const Domain& domain) {
  const auto directory = status_of(domain.directory());
  if (!directory) {
    return fail(Error(directory.error()).on(domain.path()));
  }
  const std::string draft = std::string(draft_prefix) + Token::random().hex();
  const Permissions permissions((directory->st_mode & S_IWGRP) != 0 ? 0660 : 0600);
  auto file = create_file(domain.directory(), draft.c_str(), permissions);
  if (!file) {
    return fail(std::move(file.error()).on(path_in(domain)));
  }
  const int at = domain.directory().raw();
  auto named = prepare(file->view(), *directory).and_then([&]() -> Result<void> {
    if (::renameat2(at, draft.c_str(), at, lock_order_name, RENAME_NOREPLACE) == -1) {
      return fail(os_failure("renameat2", errno));
    }
    return {};
  });
  if (named.failed_with(Errc::not_found)) {  // another maker has swept the draft away, after it named its own
    return fail(Errc::already_exists, "renameat2");
  }
  if (!named) {
    ::unlinkat(at, draft.c_str(), 0);
    return fail(std::move(named.error()).on(path_in(domain)));
  }
  sweep_drafts(domain);
  return {};
}

}  // namespace

LockOrderMapping::LockOrderMapping(Fd file, Mapping memory) noexcept
    : file_(std::move(file)),
      memory_(std::move(memory)),
      content_(std::launder(reinterpret_cast<LockOrderFile*>(memory_.data()))) {}

bool LockOrderMapping::was_removed() const noexcept {
  struct stat status{};
  return ::fstat(file_.raw(), &status) == 0 && status.st_nlink == 0;
}

Result<LockOrderMapping> LockOrderMapping::open(const Domain& domain) {
  // Neither waits for the writer of a FIFO nor follows a link that somebody has put there.
  const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  auto file = fd_from(uninterrupted([&] { return ::openat(domain.directory().raw(), lock_order_name, flags); }), "open")
                  .and_then(above_standard);
  if (!file) {
    return fail(std::move(file.error()).on(path_in(domain)));
  }
  const auto status = status_of(file->view());
  if (!status) {
    return fail(Error(status.error()).on(path_in(domain)));
  }
  if (!S_ISREG(status->st_mode)) {
    return fail(Error(Errc::wrong_kind, "open").on(path_in(domain)).because("it is no regular file"));
  }
  if (auto owned = check_owner(domain, *status); !owned) {
    return fail(std::move(owned.error()));
  }
  if (status->st_size != static_cast<off_t>(sizeof(LockOrderFile))) {
    return fail(corrupt(domain, "it has " + std::to_string(status->st_size) + " bytes instead of " +
                                    std::to_string(sizeof(LockOrderFile))));
  }
  return check_header(domain, file->view()).and_then([&] {
    return Mapping::of_file(file->view(), sizeof(LockOrderFile), Access::read_write).transform([&](Mapping memory) {
      return LockOrderMapping(std::move(*file), std::move(memory));
    });
  });
}

Result<LockOrderMapping> LockOrderMapping::open_or_create(const Domain& domain) {
  if (auto opened = open(domain); !opened.failed_with(Errc::not_found)) {
    return opened;
  }
  return create_or_open(
      "open", path_in(domain), [&] { return create(domain).and_then([&] { return open(domain); }); },
      [&] { return open(domain); });
}

}  // namespace tenon
