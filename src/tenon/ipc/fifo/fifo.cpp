#include <tenon/ipc/fifo/fifo.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/file_kind.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/system_call.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <span>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

// A creator needs microseconds between mkfifo and chmod; one that needs longer than this has died.
constexpr auto half_made_patience = std::chrono::milliseconds(100);
constexpr auto half_made_recheck = std::chrono::milliseconds(1);

Fail refused(std::string_view path, const std::string& why) {
  return fail(Error(Errc::permission_denied, "open").on(path).because(why));
}

// What stands at the path, held without opening it: a symlink itself, and no FIFO's peer is woken.
Result<Fd> hold(const std::string& path) {
  auto held = fd_from(uninterrupted([&] { return ::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC); }), "open");
  if (!held) {
    return fail(std::move(held.error()).on(path));
  }
  return held;
}

Result<struct stat> status_of(FdView held, const std::string& path) {
  struct stat status{};
  if (::fstat(held.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(path));
  }
  return status;
}

Result<void> check(const struct stat& status, const std::string& path, uid_t owner) {
  if (!S_ISFIFO(status.st_mode)) {
    return refused(path, std::string("it is ") + file_kind(status.st_mode) + ", not a FIFO");
  }
  if (status.st_uid != owner) {
    return refused(path,
                   "it belongs to uid " + std::to_string(status.st_uid) + ", not to uid " + std::to_string(owner));
  }
  if (status.st_nlink == 0) {
    return fail(Error(Errc::not_found, "open").on(path).because("it has just been removed"));
  }
  if (status.st_nlink > 1) {
    return refused(path, "it has another name too (a hard link), so somebody else may have put it there");
  }
  return {};
}

struct Held {
  Fd name;
  bool half_made;
};

// Holds and checks it; waits a moment for a creator that is about to give it its mode.
Result<Held> hold_checked(const std::string& path, uid_t owner) {
  const Deadline patience = after(half_made_patience);
  while (true) {
    auto held = hold(path);
    if (!held) {
      return fail(std::move(held.error()));
    }
    auto status = status_of(held->view(), path);
    if (!status) {
      return fail(std::move(status.error()));
    }
    if (auto checked = check(*status, path, owner); !checked) {
      return fail(std::move(checked.error()));
    }
    const bool half_made = (status->st_mode & 0777) == 0;
    if (!half_made || patience.passed()) {
      return Held{.name = std::move(*held), .half_made = half_made};
    }
    [[maybe_unused]] const auto slept = sleep_until(after(half_made_recheck));
  }
}

// Tells of opens of one inode; without an inotify instance to be had, waiters fall back to the recheck interval.
Result<Fd> watch_opens(FdView name) {
  auto watch = fd_from(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "inotify_init1");
  if (watch) {
    if (::inotify_add_watch(watch->raw(), procfs::link_to(name).c_str(), IN_OPEN) == -1) {
      return fail(os_failure("inotify_add_watch", errno));
    }
  }
  return watch;
}

void drain(FdView watch) {
  std::array<std::byte, 1024> events;
  while (::read(watch.raw(), events.data(), events.size()) > 0) {
  }
}

// Sleeps until somebody opens it, an end becomes ready, or the recheck is due: a reader that blocks in open(2) tells
// inotify only once it has got through. Outcomes: timed_out, stopped.
Result<void> wait_for_open(const Result<Fd>& watch, const ReadEnd* end, Deadline deadline) {
  std::array<PollItem, 2> items = {PollItem{.fd = FdView(-1)}, PollItem{.fd = FdView(-1)}};
  std::size_t count = 0;
  if (watch) {
    items[count++].fd = watch->view();
  }
  if (end != nullptr) {
    items[count++].fd = end->fd();
  }
  auto waited = wait_any(std::span(items).first(count), deadline.or_sooner(after(recheck_interval)));
  if (watch) {
    drain(watch->view());
  }
  if (waited.failed_with(Errc::timed_out) && !deadline.passed()) {
    return {};
  }
  return waited;
}

// Whether a reader's FIFO has a writer, or has had one: bytes or a hang-up tell at once; with neither, tee(2) tells an
// empty pipe with writers (EAGAIN) from one without (0), and takes nothing.
bool writer_has_come(const ReadEnd& end, FdView scratch) {
  auto ready = wait_ready(end.fd(), Ready::reading, immediately);
  if (ready) {
    return true;
  }
  return ::tee(end.fd().raw(), scratch.raw(), 1, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN;
}

Result<void> make_blocking(FdView end) {
  const int flags = ::fcntl(end.raw(), F_GETFL);
  if (flags == -1 || ::fcntl(end.raw(), F_SETFL, flags & ~O_NONBLOCK) == -1) {
    return fail(os_failure("fcntl", errno));
  }
  return {};
}

Result<void> make_fifo(const std::string& path) {
  if (::mkfifo(path.c_str(), 0) == -1) {
    return fail(os_failure("mkfifo", errno).on(path));
  }
  return {};
}

// Takes back what make_fifo made, when it cannot be completed; leaves what somebody else has put there meanwhile.
void unmake_fifo(const std::string& path) {
  struct stat status{};
  const bool there = ::lstat(path.c_str(), &status) == 0;
  if (there && S_ISFIFO(status.st_mode) && (status.st_mode & 0777) == 0 && status.st_uid == ::geteuid()) {
    ::unlink(path.c_str());
  }
}

}  // namespace

Result<Fifo> Fifo::create(std::string_view path, Permissions permissions) {
  return create(path, permissions, [](FdView) { return Result<void>(); });
}

Result<Fifo> Fifo::create(std::string_view path, Permissions permissions,
                          const std::function<Result<void>(FdView)>& note) {
  if (auto checked = check_path(path); !checked) {
    return fail(std::move(checked.error()));
  }
  std::string name(path);
  if (permissions.mode() == 0) {
    return fail(Error(Errc::invalid_argument, "mkfifo").on(path).because("mode 0000 marks a FIFO that is not ready"));
  }
  if (auto made = make_fifo(name); !made) {
    return fail(std::move(made.error()));
  }
  auto completed = hold(name).and_then([&](Fd held) -> Result<Fifo> {
    // Between mkfifo and here somebody who may write the directory can have put another thing in its place.
    auto status = status_of(held.view(), name);
    if (auto ours = status ? check(*status, name, ::geteuid()) : Result<void>(fail(status.error())); !ours) {
      return fail(std::move(ours.error()));
    }
    if ((status->st_mode & 0777) != 0) {  // taken for half-made, or removed: this one is somebody else's now
      return fail(Error(Errc::already_exists, "mkfifo").on(name).because("somebody else has finished it meanwhile"));
    }
    if (auto noted = note(held.view()); !noted) {
      return fail(std::move(noted.error()));
    }
    if (auto set = set_exact_mode(held.view(), permissions); !set) {
      return fail(std::move(set.error()).on(name));
    }
    return Fifo(std::move(held), std::move(name));
  });
  if (!completed) {
    unmake_fifo(std::string(path));
  }
  return completed;
}

Result<Fifo> Fifo::open(std::string_view path) { return open(path, ::geteuid()); }

Result<Fifo> Fifo::open(std::string_view path, uid_t owner) {
  if (auto checked = check_path(path); !checked) {
    return fail(std::move(checked.error()));
  }
  std::string name(path);
  return hold_checked(name, owner).and_then([&](Held held) -> Result<Fifo> {
    if (held.half_made) {
      return fail(Error(Errc::stale, "open").on(name).because("its creator died half-way; open_or_create finishes it"));
    }
    return Fifo(std::move(held.name), std::move(name));
  });
}

Result<Fifo> Fifo::open_or_create(std::string_view path, Permissions permissions) {
  constexpr int most_turns = 16;  // each lost turn is somebody else's create or unlink in between
  for (int turn = 0; turn < most_turns; ++turn) {
    auto created = create(path, permissions);
    if (!created.failed_with(Errc::already_exists)) {
      return created;
    }
    std::string name(path);
    auto held = hold_checked(name, ::geteuid());
    if (held) {
      if (auto set = held->half_made ? set_exact_mode(held->name.view(), permissions) : Result<void>(); !set) {
        return fail(std::move(set.error()).on(name));
      }
      return Fifo(std::move(held->name), std::move(name));
    }
    if (!held.failed_with(Errc::not_found)) {
      return fail(std::move(held.error()));
    }
  }
  return fail(Error(Errc::not_found, "open").on(path).because("somebody removes it again and again"));
}

// Opened through /proc, the end belongs to the inode that was checked, not to whatever the path leads to by now.
Result<Fd> Fifo::open_end(int flags) const {
  const std::string link = procfs::link_to(fd());
  auto end = fd_from(uninterrupted([&] { return ::open(link.c_str(), flags | O_CLOEXEC); }), "open");
  if (end.failed_with(Errc::not_found)) {  // what the handle holds cannot vanish
    return fail(Error(Errc::not_supported, "open", ENOENT).on(path_).because("/proc is not mounted here"));
  }
  if (!end) {
    return fail(std::move(end.error()).on(path_));
  }
  return end;
}

Result<ReadEnd> Fifo::try_open_for_reading() const {
  return open_end(O_RDONLY | O_NONBLOCK).and_then([](Fd end) -> Result<ReadEnd> {
    if (auto set = make_blocking(end.view()); !set) {
      return fail(std::move(set.error()));
    }
    return ReadEnd::adopt(std::move(end));
  });
}

Result<WriteEnd> Fifo::try_open_for_writing() const {
  return open_end(O_WRONLY | O_NONBLOCK).and_then([](Fd end) -> Result<WriteEnd> {
    if (auto set = make_blocking(end.view()); !set) {
      return fail(std::move(set.error()));
    }
    return WriteEnd::adopt(std::move(end));
  });
}

Result<ReadEnd> Fifo::open_for_reading(Deadline deadline) const {
  if (deadline.is_unconditional()) {
    return open_end(O_RDONLY).transform([](Fd end) { return ReadEnd::adopt(std::move(end)); });
  }
  if (stop_requested(deadline)) {
    return fail(Error(Errc::stopped, "open").on(path_));
  }
  auto end = try_open_for_reading();
  if (!end) {
    return end;
  }
  std::array<int, 2> scratch{};
  if (::pipe2(scratch.data(), O_CLOEXEC) == -1) {
    return fail(descriptor_failure("pipe", errno));
  }
  const Fd scratch_reader = Fd::adopt(scratch[0]);
  const Fd scratch_writer = Fd::adopt(scratch[1]);
  const auto watch = watch_opens(fd());
  while (!writer_has_come(*end, scratch_writer.view())) {
    if (auto waited = wait_for_open(watch, &*end, deadline); !waited) {
      return fail(std::move(waited.error()).on(path_));
    }
  }
  return end;
}

Result<WriteEnd> Fifo::open_for_writing(Deadline deadline) const {
  if (deadline.is_unconditional()) {
    return open_end(O_WRONLY).transform([](Fd end) { return WriteEnd::adopt(std::move(end)); });
  }
  if (stop_requested(deadline)) {
    return fail(Error(Errc::stopped, "open").on(path_));
  }
  auto end = try_open_for_writing();
  if (!end.failed_with(Errc::no_peer) || deadline.is_immediate()) {
    return end;
  }
  const auto watch = watch_opens(fd());
  while ((end = try_open_for_writing()).failed_with(Errc::no_peer)) {
    if (auto waited = wait_for_open(watch, nullptr, deadline); !waited) {
      return fail(std::move(waited.error()).on(path_));
    }
  }
  return end;
}

Result<void> Fifo::unlink(std::string_view path) {
  if (auto checked = check_path(path); !checked) {
    return checked;
  }
  const std::string name(path);
  auto held = hold(name);
  auto status = held ? status_of(held->view(), name) : Result<struct stat>(fail(std::move(held.error())));
  if (!status) {
    return fail(std::move(status.error()));
  }
  if (!S_ISFIFO(status->st_mode)) {
    return fail(Error(Errc::wrong_kind, "unlink").on(name).because(std::string("it is ") + file_kind(status->st_mode)));
  }
  if (::unlink(name.c_str()) == -1) {
    return fail(os_failure("unlink", errno).on(name));
  }
  return {};
}

}  // namespace tenon
