#include <tenon/channel/fifo_channel.hpp>

#include <tenon/base/name.hpp>
#include <tenon/channel/pipe_carrier.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <sys/stat.h>

namespace tenon {

namespace {

std::uint64_t number_of(const struct stat& status) noexcept {
  const std::uint64_t number = (static_cast<std::uint64_t>(status.st_dev) << 40U) ^ status.st_ino;
  return number == 0 ? 1 : number;
}

Result<std::uint64_t> number_of(FdView fifo) {
  struct stat status{};
  if (::fstat(fifo.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return number_of(status);
}

// The FIFO that stands at the path, if one does.
std::optional<struct stat> fifo_at(const std::string& path) noexcept {
  struct stat status{};
  const bool there = ::lstat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
  return there ? std::optional(status) : std::nullopt;
}

bool is_half_made(const struct stat& fifo) noexcept { return (fifo.st_mode & 0777) == 0; }

Fail replaced(const std::string& path) {
  return fail(
      Error(Errc::stale, "open")
          .on(path)
          .because("the FIFO was removed or replaced from outside, and nobody will come through the one we hold"));
}

// Who waits on a FIFO that its path no longer leads to would wait for ever.
Result<void> check_still_there(const Fifo& fifo, const Rendezvous& rendezvous) {
  if (const auto there = fifo_at(fifo.path()); !there || number_of(*there) != rendezvous.object()) {
    return replaced(fifo.path());
  }
  return rendezvous.progress().transform([](Progress) {});
}

Result<WriteEnd> wait_for_reader(const Fifo& fifo, const Rendezvous& rendezvous, Deadline deadline) {
  while (true) {
    auto end = fifo.open_for_writing(deadline.or_sooner(after(recheck_interval)));
    const bool nobody = end.failed_with(Errc::timed_out) || end.failed_with(Errc::no_peer);
    if (!nobody) {
      return end;
    }
    if (auto there = check_still_there(fifo, rendezvous); !there) {
      return fail(std::move(there.error()));
    }
    if (deadline.passed()) {
      return end;
    }
  }
}

// One that has died meanwhile has come, too: its death is to be told.
Result<bool> sender_has_come(const Rendezvous& rendezvous, Deadline deadline) {
  if (!rendezvous.sees_other_role()) {
    return false;
  }
  return rendezvous.entered(deadline).transform([](const std::vector<Participant>& all) {
    return std::ranges::any_of(
        all, [](const Participant& one) { return one.role == Role::sender && one.progress == Progress::open; });
  });
}

// Somebody came and went, of which poll(2) tells again and again. An end that was opened since tells of the next alone;
// the old one stays until it is there.
void wait_for_the_next(const Fifo& fifo, ReadEnd& end, Deadline deadline) {
  if (auto fresh = fifo.try_open_for_reading()) {
    end = std::move(*fresh);
  } else {  // no descriptor to be had just now
    [[maybe_unused]] const auto slept = sleep_until(deadline.or_sooner(after(recheck_interval)));
  }
}

// An end stays open all the while: a sender that has come through must not find it closed again.
Result<ReadEnd> wait_for_sender(const Fifo& fifo, const Rendezvous& rendezvous, Deadline deadline) {
  auto end = fifo.try_open_for_reading();
  if (!end) {
    return end;
  }
  while (true) {
    auto ready = wait_ready(end->fd(), Ready::reading, deadline.or_sooner(after(recheck_interval)));
    if (ready && has(*ready, Ready::reading)) {
      return end;
    }
    if (!ready && !ready.failed_with(Errc::timed_out)) {
      return fail(std::move(ready.error()).on(fifo.path()));
    }
    auto come = sender_has_come(rendezvous, deadline);
    if (!come || *come) {
      return come ? std::move(end) : fail(std::move(come.error()));
    }
    if (auto there = check_still_there(fifo, rendezvous); !there) {
      return fail(std::move(there.error()));
    }
    if (deadline.passed()) {
      return fail(Error(Errc::timed_out, "open").on(fifo.path()));
    }
    if (ready) {
      wait_for_the_next(fifo, *end, deadline);
    }
  }
}

void remove_that(const std::string& path, std::uint64_t object) {
  const auto there = fifo_at(path);
  if (there && (object == 0 ? is_half_made(*there) : object == number_of(*there))) {
    [[maybe_unused]] const auto removed = Fifo::unlink(path);  // gone meanwhile, or another's: nothing to do about it
  }
}

// A whole FIFO whose number the file does not know is somebody else's: it is noted while it is half-made.
Result<void> make_and_note(const std::string& path, const std::function<Result<void>(std::uint64_t)>& note) {
  const auto note_number = [&](FdView fifo) { return number_of(fifo).and_then(note); };
  auto made = Fifo::create(path, owner_only, note_number);
  // One that was half-made already is of a creator that died: it goes, so that there is one to note.
  if (made.failed_with(Errc::already_exists) && Fifo::open(path).failed_with(Errc::stale)) {
    remove_that(path, 0);
    made = Fifo::create(path, owner_only, note_number);
  }
  return std::move(made).transform([](const Fifo&) {});
}

struct Met {
  Rendezvous rendezvous;
  Fifo fifo;
};

// Enters the rendezvous and holds the FIFO that it leads to.
Result<Met> meet(const std::string& given, std::shared_ptr<const Domain> domain, Role role, Deadline deadline) {
  return absolute_fifo_path(given).and_then([&](const std::string& path) {
    return Rendezvous::join(std::move(domain), "fifo:" + path, role, fifo_keeper(path), deadline)
        .and_then([&](Rendezvous rendezvous) -> Result<Met> {
          auto fifo = Fifo::open(path);
          if (!fifo) {
            return fail(std::move(fifo.error()));
          }
          const auto number = number_of(fifo->fd());
          if (!number || *number != rendezvous.object()) {
            return replaced(path);
          }
          return Met{.rendezvous = std::move(rendezvous), .fifo = std::move(*fifo)};
        });
  });
}

}  // namespace

Result<std::string> absolute_fifo_path(const std::string& path) {
  if (auto checked = check_path(path); !checked) {
    return fail(std::move(checked.error()));
  }
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string last = slash == std::string::npos ? path : path.substr(slash + 1);  // it may not exist yet
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(directory.c_str(), nullptr), std::free);
  if (!real) {
    return fail(os_failure("open", errno).on(path).because("its directory cannot be entered"));
  }
  const std::string_view parent = real.get();
  return std::string(parent == "/" ? "" : parent) + "/" + last;
}

ObjectKeeper fifo_keeper(const std::string& path) {
  return {.find = [path]() -> Result<std::optional<std::uint64_t>> {
            auto there = Fifo::open(path);
            // Half-made by a creator that died: to be finished.
            if (there.failed_with(Errc::not_found) || there.failed_with(Errc::stale)) {
              return std::nullopt;
            }
            return std::move(there).and_then([](const Fifo& fifo) {
              return number_of(fifo.fd()).transform([](std::uint64_t number) { return std::optional(number); });
            });
          },
          .make_and_note =
              [path](const std::function<Result<void>(std::uint64_t)>& note) { return make_and_note(path, note); },
          .remove = remove_channel_object};
}

Result<Sender> open_fifo_sender(const std::string& path, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return meet(path, std::move(domain), Role::sender, deadline).and_then([&](Met met) -> Result<Sender> {
    auto end = wait_for_reader(met.fifo, met.rendezvous, deadline);
    if (!end) {
      return fail(std::move(end.error()));
    }
    // Only a receiver that is entered can confirm; any other reader would swallow the messages.
    if (!met.rendezvous.sees_other_role()) {
      return fail(Error(Errc::no_peer, "open")
                      .on(met.fifo.path())
                      .because("whoever reads from it is no receiver of this channel in this domain"));
    }
    return Sender(std::move(met.rendezvous), std::make_unique<PipeSink>(std::move(*end)));
  });
}

Result<Receiver> open_fifo_receiver(const std::string& path, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return meet(path, std::move(domain), Role::receiver, deadline).and_then([&](Met met) -> Result<Receiver> {
    auto end = wait_for_sender(met.fifo, met.rendezvous, deadline);
    if (!end) {
      return fail(std::move(end.error()));
    }
    return Receiver(std::move(met.rendezvous), std::make_unique<PipeSource>(std::move(*end)));
  });
}

void remove_fifo(const Domain&, const std::string& path, std::uint64_t object) { remove_that(path, object); }

}  // namespace tenon
