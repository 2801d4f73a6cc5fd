#include <tenon/messaging/stream/stream_file.hpp>

#include <tenon/base/file_identity.hpp>
#include <tenon/os/backoff.hpp>
#include <tenon/os/membarrier.hpp>
#include <tenon/os/shared_socket.hpp>
#include <tenon/os/sharing.hpp>
#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::uint64_t page = 4096;
// Who takes a name away holds the lock for two system calls; who keeps it longer does so on purpose, or is stopped.
constexpr std::chrono::seconds lock_patience{1};

Result<void> lock(FdView file) {
  Backoff backoff(after(lock_patience));
  while (uninterrupted([&] { return ::flock(file.raw(), LOCK_EX | LOCK_NB); }) == -1) {
    if (errno != EWOULDBLOCK) {
      return fail(os_failure("flock", errno));
    }
    if (!backoff.sleep()) {
      return fail(Error(Errc::would_block, "flock").because("somebody keeps the stream's file locked"));
    }
  }
  return {};
}

bool leads_to(FdView directory, const std::string& name, FdView file) noexcept {
  struct stat named{};
  struct stat open{};
  return ::fstatat(directory.raw(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstat(file.raw(), &open) == 0 && named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

// Nobody else's name: whoever takes this one away holds the lock too.
Result<void> remove_name_of(FdView file, FdView directory, const std::string& name, Token end) {
  auto locked = lock(file);
  if (locked && leads_to(directory, name, file)) {
    ::unlinkat(directory.raw(), stream_wake_name(end).c_str(), 0);
    ::unlinkat(directory.raw(), name.c_str(), 0);
  }
  ::flock(file.raw(), LOCK_UN);
  return locked;
}

StreamHeader lay_out(const Holder& holder, StreamRole role, const StreamShape& shape) {
  StreamHeader header{};
  header.magic = stream_magic(role);
  header.layout_version = stream_layout_version;
  header.token = Token::random().value();
  header.life = holder.token().value();
  header.pid = ::getpid();
  header.uid = ::geteuid();
  header.first = shape.first;
  header.capacity = shape.capacity;
  header.bytes_at = shape.capacity == 0 ? 0 : stream_bytes_at;
  header.file_bytes = stream_bytes_at + (shape.capacity + page - 1) / page * page;
  header.fences = register_for_barriers() ? 0 : 1;
  header.barred = barrier_for_all() ? 0 : 1;
  return header;
}

Result<void> check(const StreamHeader& header, StreamRole role, std::uint64_t bytes) {
  const auto known =
      check_identity(identity_of(header), {.magic = stream_magic(role), .layout_version = stream_layout_version});
  if (!known) {
    return known;
  }
  return fits_stream_file(header, role, bytes) ? Result<void>()
                                               : fail(Error(Errc::corrupt).because("its header does not fit its file"));
}

// A copy, which nobody changes once it was checked.
Result<StreamHeader> read_header(FdView file, StreamRole role) {
  struct stat status{};
  StreamHeader header{};
  if (::fstat(file.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Error(Errc::wrong_kind).because("it is no regular file"));
  }
  const ssize_t got = uninterrupted([&] { return ::pread(file.raw(), &header, sizeof header, 0); });
  if (got == -1) {
    return fail(os_failure("pread", errno));
  }
  if (got != static_cast<ssize_t>(sizeof header)) {
    return fail(Error(Errc::corrupt).because("it is shorter than a stream's header"));
  }
  return check(header, role, static_cast<std::uint64_t>(status.st_size)).transform([&] { return header; });
}

}  // namespace

Result<StreamFileName> StreamFileName::make(StreamRole role, std::string_view stream) {
  const std::string_view prefix = stream_prefix(role);
  return Name::make(stream, prefix.size()).transform([&](const Name& name) {
    return StreamFileName{.role = role, .text = std::string(prefix) + name.text()};
  });
}

Result<OwnStreamFile> OwnStreamFile::create(const Holder& holder, const StreamFileName& name,
                                            const StreamShape& shape) {
  const FdView directory = holder.domain().directory();
  const auto sharing = Sharing::of(directory);
  if (!sharing) {
    return fail(Error(sharing.error()).on(name.text));
  }
  const StreamHeader header = lay_out(holder, name.role, shape);
  const auto fill = [&](MutableBytes memory) {
    std::memcpy(memory.data(), &header, sizeof header);
    StreamState& state = *reinterpret_cast<StreamState*>(memory.data() + stream_state_at);
    state.index.store(shape.first, std::memory_order_relaxed);      // nobody else sees it yet
    state.bell.store(shape.first_bell, std::memory_order_relaxed);  // nobody else sees it yet
  };
  return make_shared_file(directory, name.text, header.file_bytes, Permissions(sharing->is_shared() ? 0640 : 0600),
                          fill)
      .transform(
          [&](SharedFile made) { return OwnStreamFile(std::move(made.fd), std::move(made.memory), header, name); });
}

bool OwnStreamFile::has_name() const noexcept {
  struct stat status{};
  return ::fstat(file_.raw(), &status) == -1 || status.st_nlink != 0;
}

void OwnStreamFile::remove_name(FdView directory) const noexcept {
  // Who keeps it locked keeps the name there; the next who comes takes it away.
  [[maybe_unused]] const auto dropped = remove_name_of(file_.view(), directory, name_.text, Token::from(header_.token));
}

Result<OtherStreamFile> OtherStreamFile::open(const Domain& domain, const StreamFileName& name) {
  auto file = fd_from(uninterrupted([&] {
                        return ::openat(domain.directory().raw(), name.text.c_str(),
                                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
                      }),
                      "openat");
  if (!file) {
    return fail(std::move(file.error()).on(name.text));
  }
  const auto header = read_header(file->view(), name.role);
  if (!header) {
    return fail(Error(header.error()).on(name.text));
  }
  return Mapping::of_file(file->view(), header->file_bytes, Access::read).transform([&](Mapping memory) {
    return OtherStreamFile(std::move(*file), std::move(memory), *header, name);
  });
}

Result<void> OtherStreamFile::remove_name(FdView directory) const {
  return remove_name_of(file_.view(), directory, name_.text, Token::from(header_.token));
}

std::string stream_wake_name(Token end) { return std::string(stream_wake_prefix) + end.hex(); }

UnixAddress stream_wake_address(FdView directory, Token end) { return address_in(directory, stream_wake_name(end)); }

}  // namespace tenon
