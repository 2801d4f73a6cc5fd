#include <tenon/channel/rendezvous_file.hpp>

#include <tenon/base/bytes.hpp>
#include <tenon/base/name.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr auto lock_recheck = std::chrono::milliseconds(1);  // whoever has the lock keeps it for microseconds

// FNV-1a, 64 bits: names need to differ, not to resist anybody; the URI in the file decides.
std::uint64_t hash(const std::string& text) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char letter : text) {
    value = (value ^ static_cast<std::uint8_t>(letter)) * 0x100000001b3;
  }
  return value;
}

Result<struct stat> status_of(FdView file) {
  struct stat status{};
  if (::fstat(file.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return status;
}

Result<void> write_at(FdView file, Bytes bytes, std::size_t at) {
  const auto written =
      uninterrupted([&] { return ::pwrite(file.raw(), bytes.data(), bytes.size(), static_cast<off_t>(at)); });
  if (written != static_cast<ssize_t>(bytes.size())) {
    return fail(os_failure("pwrite", written == -1 ? errno : ENOSPC));
  }
  return {};
}

Result<std::size_t> read_at(FdView file, MutableBytes into, std::size_t at) {
  const auto got = uninterrupted([&] { return ::pread(file.raw(), into.data(), into.size(), static_cast<off_t>(at)); });
  if (got == -1) {
    return fail(os_failure("pread", errno));
  }
  return static_cast<std::size_t>(got);
}

Error corrupt(const Domain& domain, const std::string& name, const std::string& why) {
  return Error(Errc::corrupt, "open")
      .on(domain.path() + "/" + name)
      .because(why + "; when nobody uses the channel, it may be removed");
}

}  // namespace

// flock(2) has no deadline; a stopped holder may keep it for long, a dead one does not.
Result<FlockedFile> FlockedFile::take(Fd file, Deadline deadline) {
  while (uninterrupted([&] { return ::flock(file.raw(), LOCK_EX | LOCK_NB); }) == -1) {
    if (errno != EWOULDBLOCK) {
      return fail(os_failure("flock", errno));
    }
    if (deadline.passed()) {
      return fail(Errc::timed_out, "flock");
    }
    if (sleep_until(deadline.or_sooner(after(lock_recheck))).failed_with(Errc::stopped)) {
      return fail(Errc::stopped, "flock");
    }
  }
  return FlockedFile(std::move(file));
}

FlockedFile::~FlockedFile() {
  if (file_.owns()) {
    ::flock(file_.raw(), LOCK_UN);
  }
}

std::string RendezvousFile::name_for(const std::string& uri) {
  return std::string(rendezvous_prefix) + Token::from(hash(uri)).hex();
}

Result<RendezvousFile> RendezvousFile::open_locked(const Domain& domain, const std::string& name, bool create,
                                                   Deadline deadline) {
  const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0);
  auto domain_status = status_of(domain.directory());
  if (!domain_status) {
    return fail(std::move(domain_status.error()).on(domain.path()));
  }
  const Permissions permissions(domain_status->st_mode & 0666);  // as wide as the domain, no wider
  while (true) {
    auto file = fd_from(
        uninterrupted([&] { return ::openat(domain.directory().raw(), name.c_str(), flags, permissions.mode()); }),
        "open");
    if (!file) {
      return fail(std::move(file.error()).on(name));
    }
    auto lock = FlockedFile::take(std::move(*file), deadline);
    if (!lock) {
      return fail(std::move(lock.error()).on(name));
    }
    // Whoever had the lock before may have removed the file; then its name leads to another one, or to none.
    auto status = status_of(lock->file());
    if (!status) {
      return fail(std::move(status.error()).on(name));
    }
    if (!S_ISREG(status->st_mode) || status->st_uid != ::geteuid()) {
      return fail(Error(Errc::permission_denied, "open")
                      .on(domain.path() + "/" + name)
                      .because("it is no file of ours but user " + std::to_string(status->st_uid) +
                               "'s; a channel joins processes of one user"));
    }
    if (status->st_nlink > 0) {
      if (auto set = create && status->st_size == 0 ? set_exact_mode(lock->file(), permissions) : Result<void>();
          !set) {
        return fail(std::move(set.error()).on(name));
      }
      return RendezvousFile(std::move(*lock), name);
    }
    if (!create) {
      return fail(Error(Errc::not_found, "open").on(name));
    }
  }
}

Result<RendezvousFile> RendezvousFile::lock_or_create(const Domain& domain, const std::string& uri, Deadline deadline) {
  if (uri.size() > longest_uri) {
    return fail(Error(Errc::invalid_name)
                    .on(uri)
                    .because("a channel's name has at most " + std::to_string(longest_uri) + " bytes"));
  }
  return open_locked(domain, name_for(uri), true, deadline)
      .and_then([&](RendezvousFile file) -> Result<RendezvousFile> {
        if (auto ready = file.load_or_initialise(domain, uri); !ready) {
          return fail(std::move(ready.error()));
        }
        return file;
      });
}

Result<void> RendezvousFile::load_or_initialise(const Domain& domain, const std::string& uri) {
  auto loaded = load();
  // Empty or short: its creator died before the header was whole, and nobody can have entered.
  if (loaded.failed_with(Errc::stale)) {
    loaded = initialise(uri);
    if (!loaded) {
      [[maybe_unused]] const auto removed = remove(domain);  // the first error is the one to tell
    }
  }
  if (loaded.failed_with(Errc::corrupt)) {
    return fail(corrupt(domain, name_, std::string(loaded.error().detail())));
  }
  if (loaded && uri_ != uri) {
    return fail(corrupt(domain, name_, "it belongs to the channel \"" + escaped(uri_) + "\""));
  }
  return loaded ? loaded : fail(std::move(loaded.error()).on(name_));
}

Result<RendezvousFile> RendezvousFile::lock(const Domain& domain, const std::string& name, Deadline deadline) {
  return open_locked(domain, name, false, deadline).and_then([&](RendezvousFile file) -> Result<RendezvousFile> {
    auto loaded = file.load();
    if (!loaded && !loaded.failed_with(Errc::stale)) {
      return fail(std::move(loaded.error()).on(name));
    }
    // What the file says may be acted upon only under the name that belongs to it.
    if (loaded && name_for(file.uri_) != name) {
      return fail(corrupt(domain, name, "it belongs to the channel \"" + escaped(file.uri_) + "\""));
    }
    return file;
  });
}

Result<void> RendezvousFile::initialise(const std::string& uri) {
  std::vector<std::byte> beginning(records_at);
  header_ = {.magic = rendezvous_magic,
             .version = rendezvous_version,
             .made = 0,
             .uri_length = static_cast<std::uint32_t>(uri.size()),
             .reserved_word = 0,
             .object = 0,
             .reserved = {}};
  std::memcpy(beginning.data(), &header_, sizeof header_);
  std::memcpy(beginning.data() + sizeof header_, uri.data(), uri.size());
  uri_ = uri;
  records_.clear();
  if (::ftruncate(lock_.file().raw(), 0) == -1) {
    return fail(os_failure("ftruncate", errno));
  }
  return write_at(lock_.file(), beginning, 0);
}

Result<void> RendezvousFile::load() {
  std::vector<std::byte> beginning(records_at);
  auto got = read_at(lock_.file(), beginning, 0);
  if (!got) {
    return fail(std::move(got.error()));
  }
  if (*got < records_at) {
    return fail(Errc::stale, "pread");
  }
  std::memcpy(&header_, beginning.data(), sizeof header_);
  if (header_.magic != rendezvous_magic || header_.uri_length > longest_uri) {
    return fail(Error(Errc::corrupt, "pread").because("it is not a rendezvous file"));
  }
  if (header_.version != rendezvous_version) {
    return fail(Error(Errc::version_mismatch, "pread")
                    .because("it has version " + std::to_string(header_.version) + ", this library reads version " +
                             std::to_string(rendezvous_version)));
  }
  uri_.assign(reinterpret_cast<const char*>(beginning.data()) + sizeof header_, header_.uri_length);
  return status_of(lock_.file()).and_then([&](const struct stat& status) -> Result<void> {
    const auto beyond = static_cast<std::size_t>(status.st_size) - records_at;
    records_.assign(std::min(beyond / sizeof(RendezvousRecord), most_records), {});
    return read_at(lock_.file(), std::as_writable_bytes(std::span(records_)), records_at).transform([](std::size_t) {});
  });
}

Result<void> RendezvousFile::note_object(bool made, std::uint64_t object) {
  header_.made = made ? 1 : 0;
  header_.object = object;
  return write_at(lock_.file(), bytes_of_value(header_), 0);
}

Result<void> RendezvousFile::write(std::size_t slot, const RendezvousRecord& record) {
  if (slot >= most_records) {
    return fail(Error(Errc::limit_reached, "join")
                    .on(uri_)
                    .with({.name = "participants of one channel",
                           .value = most_records,
                           .wanted = slot + 1,
                           .remedy = "let some of its senders finish"}));
  }
  records_.resize(std::max(records_.size(), slot + 1));
  records_[slot] = record;
  return write_at(lock_.file(), bytes_of_value(record), place_of(slot));
}

std::optional<std::size_t> RendezvousFile::slot_of(Token token) const {
  const auto found = std::ranges::find(records_, token.value(), &RendezvousRecord::token);
  return found == records_.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - records_.begin()));
}

std::size_t RendezvousFile::free_slot() const { return slot_of(nobody).value_or(records_.size()); }

Result<Fd> RendezvousFile::open_for_watching(const Domain& domain) const {
  auto again = fd_from(uninterrupted([&] {
                         return ::openat(domain.directory().raw(), name_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
                       }),
                       "open");
  if (!again) {
    return fail(std::move(again.error()).on(name_));
  }
  auto locked = status_of(lock_.file());
  auto opened = status_of(again->view());
  const bool same = locked && opened && locked->st_dev == opened->st_dev && locked->st_ino == opened->st_ino;
  return same ? std::move(again) : fail(Error(Errc::not_found, "open").on(name_));
}

Result<void> RendezvousFile::remove(const Domain& domain) {
  if (::unlinkat(domain.directory().raw(), name_.c_str(), 0) == -1 && errno != ENOENT) {
    return fail(os_failure("unlink", errno).on(name_));
  }
  return {};
}

}  // namespace tenon
