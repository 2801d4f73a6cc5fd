#include <tenon/channel/rendezvous.hpp>

#include <tenon/base/name.hpp>
#include <tenon/channel/rendezvous_file.hpp>
#include <tenon/channel/rendezvous_records.hpp>
#include <tenon/os/backoff.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/credentials.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/system_call.hpp>

#include <array>
#include <dirent.h>
#include <fcntl.h>
#include <span>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

struct Rendezvous::Place {
  std::shared_ptr<const Domain> domain;
  Life life;
  std::string uri;
  ObjectKeeper keeper;
  Role role;
  std::string file_name = RendezvousFile::name_for(uri);
  Fd watch = Fd::adopt(-1);
  std::size_t slot = 0;
  std::uint64_t object = 0;
  pid_t opener = ::getpid();

  Result<void> enter(Deadline deadline);
  Result<void> write_entry(RendezvousFile& file);
  Result<RendezvousRecord> entry() const;
  Result<void> take_out(RendezvousFile& file) const;
  Result<void> tell_senders(RendezvousFile& file) const;
  Result<void> leave(Deadline deadline);
  bool is_of_this_process() const { return opener == ::getpid(); }
  template <class Change>
  Result<void> change_sender(Token sender, Deadline deadline, Change change) const;
};

namespace {

constexpr std::string_view prefix = rendezvous_prefix;
constexpr auto farewell = std::chrono::seconds(1);  // of an end that is dropped without leave()

Error damaged(const std::string& uri, const char* what) { return Error(Errc::stale, "channel").on(uri).because(what); }

Result<void> remove_object(const Domain& domain, RendezvousFile& file, const ObjectKeeper& keeper) {
  if (!file.object_made()) {
    return {};
  }
  keeper.remove(domain, file.uri(), file.object());
  return file.note_object(false, 0);
}

Result<void> note_found(RendezvousFile& file, bool made, const Result<std::optional<std::uint64_t>>& found) {
  if (!found) {
    return fail(found.error());
  }
  return *found ? file.note_object(made, **found) : fail(Error(Errc::stale).on(file.uri()).because("it vanished"));
}

Result<void> make_and_note(RendezvousFile& file, const ObjectKeeper& keeper) {
  if (keeper.make_and_note) {
    return keeper.make_and_note([&](std::uint64_t object) { return file.note_object(true, object); });
  }
  return keeper.make().and_then([&] { return note_found(file, true, keeper.find()); });
}

// One that was there, or that somebody made while this end was about to.
Result<void> accept_object(RendezvousFile& file, const ObjectKeeper& keeper) {
  return keeper.accept().and_then([&] { return note_found(file, false, keeper.find()); });
}

// The bit is set first: an object without the bit would never be removed, a bit without its object harms nobody.
Result<void> make_object(const Domain& domain, RendezvousFile& file, const ObjectKeeper& keeper) {
  if (auto noted = file.note_object(true, 0); !noted) {
    return noted;
  }
  auto made = make_and_note(file, keeper);
  if (made.failed_with(Errc::already_exists)) {
    return file.note_object(false, 0).and_then([&] { return accept_object(file, keeper); });
  }
  if (!made) {
    [[maybe_unused]] const auto taken_back = remove_object(domain, file, keeper);  // the first error is the one to tell
  }
  return made;
}

Result<void> ensure_object(const Domain& domain, RendezvousFile& file, const ObjectKeeper& keeper, bool in_use) {
  if (keeper.made_by_receiver) {
    return in_use ? Result<void>() : file.note_object(true, 1);
  }
  const auto found = keeper.find();
  if (!found) {
    return fail(found.error());
  }
  if (in_use) {
    const bool same = *found && **found == file.object();
    return same
               ? Result<void>()
               : fail(damaged(file.uri(), "what the channel goes through was removed or replaced while others use it"));
  }
  return *found ? accept_object(file, keeper) : make_object(domain, file, keeper);
}

Result<void> refuse_second_receiver(const Domain& domain, const RendezvousFile& file,
                                    std::span<const Participant> entered) {
  for (const Participant& other : entered) {
    if (other.role == Role::receiver && other.alive) {
      // Its life file knows it, in whatever PID namespace it is; the number in its record means nothing in ours.
      const auto life = Peer::open(domain, other.token);
      return fail(Error(Errc::already_exists, "receive")
                      .on(file.uri())
                      .because((life ? life->message() : std::string("somebody")) +
                               " receives from this channel already, and two receivers would share out the messages"));
    }
  }
  return {};
}

RendezvousRecord own_record(Token token, Role role) {
  const Credentials own = own_credentials();
  return {.token = token.value(),
          .role = static_cast<std::uint32_t>(role),
          .state = static_cast<std::uint32_t>(Progress::open),
          .pid = static_cast<std::uint32_t>(own.pid),
          .uid = own.uid,
          .joined = realtime_now(),
          .receivers_gone = 0,
          .reserved_word = 0,
          .reserved = {}};
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

std::vector<std::string> rendezvous_files(const Domain& domain) {
  std::vector<std::string> names;
  const int again = ::openat(domain.directory().raw(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseDirectory> directory(again == -1 ? nullptr : ::fdopendir(again));
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    if (std::string_view(entry->d_name).starts_with(prefix)) {
      names.emplace_back(entry->d_name);
    }
  }
  return names;
}

}  // namespace

Rendezvous::Rendezvous(std::unique_ptr<Place> place) : place_(std::move(place)) {}
Rendezvous::Rendezvous(Rendezvous&&) noexcept = default;

Rendezvous& Rendezvous::operator=(Rendezvous&& other) noexcept {
  const Rendezvous ends(std::move(*this));
  place_ = std::move(other.place_);
  return *this;
}

Rendezvous::~Rendezvous() {
  if (place_ != nullptr && place_->is_of_this_process()) {
    [[maybe_unused]] const auto left = place_->leave(after(farewell));
  }
}

Result<void> Rendezvous::check_own() const {
  return place_->is_of_this_process() ? Result<void>() : fail(Error(Errc::in_child, "channel").on(place_->uri));
}

Token Rendezvous::token() const noexcept { return place_->life.token(); }
std::uint64_t Rendezvous::object() const noexcept { return place_->object; }

Result<Rendezvous> Rendezvous::join(std::shared_ptr<const Domain> domain, const std::string& uri, Role role,
                                    ObjectKeeper keeper, Deadline deadline) {
  sweep(*domain, keeper);
  // Alive first, entered then: an entry of somebody who is not alive counts for nothing.
  auto life = Life::join(*domain);
  if (!life) {
    return fail(std::move(life.error()));
  }
  std::unique_ptr<Place> place(new Place{
      .domain = std::move(domain), .life = std::move(*life), .uri = uri, .keeper = std::move(keeper), .role = role});
  return place->enter(deadline).transform([&] { return Rendezvous(std::move(place)); });
}

Result<void> Rendezvous::Place::enter(Deadline deadline) {
  return RendezvousFile::lock_or_create(*domain, uri, deadline).and_then([&](RendezvousFile file) -> Result<void> {
    auto cleared = clear_unneeded(*domain, file);
    if (!cleared) {
      return fail(std::move(cleared.error()));
    }
    // What the dead left in the object is nobody's: a new conversation starts with a new one.
    if (auto removed = cleared->anybody ? Result<void>() : remove_object(*domain, file, keeper); !removed) {
      return removed;
    }
    const auto entered = participants_in(*domain, file);
    if (auto free = role == Role::receiver ? refuse_second_receiver(*domain, file, entered) : Result<void>(); !free) {
      return free;
    }
    auto done = ensure_object(*domain, file, keeper, cleared->anybody).and_then([&] { return write_entry(file); });
    if (!done && !cleared->anybody) {
      [[maybe_unused]] const auto gone = remove_object(*domain, file, keeper);  // the first error is the one to tell
      [[maybe_unused]] const auto removed = file.remove(*domain);
    }
    return done;
  });
}

Result<void> Rendezvous::Place::write_entry(RendezvousFile& file) {
  auto watching = file.open_for_watching(*domain);
  if (!watching) {
    return fail(std::move(watching.error()));
  }
  watch = std::move(*watching);
  slot = file.free_slot();
  object = file.object();
  return file.write(slot, own_record(life.token(), role));
}

Result<RendezvousRecord> Rendezvous::Place::entry() const {
  struct stat status{};
  if (::fstat(watch.raw(), &status) == -1 || status.st_nlink == 0) {
    return fail(damaged(uri, "its rendezvous file was removed from outside"));
  }
  RendezvousRecord record{};
  const auto at = static_cast<off_t>(RendezvousFile::place_of(slot));
  const auto got = uninterrupted([&] { return ::pread(watch.raw(), &record, sizeof record, at); });
  if (got != sizeof record || record.token != life.token().value()) {
    return fail(damaged(uri, "its rendezvous file was damaged from outside"));
  }
  if (auto visible = life.confirm(); !visible) {
    return visible.failed_with(Errc::not_found)
               ? fail(damaged(uri, "this process's life file was removed from outside"))
               : fail(std::move(visible.error()));
  }
  return record;
}

Result<Progress> Rendezvous::progress() const {
  return place_->entry().transform([](const RendezvousRecord& own) { return static_cast<Progress>(own.state); });
}

Result<std::uint32_t> Rendezvous::receivers_gone() const {
  return place_->entry().transform([](const RendezvousRecord& own) { return own.receivers_gone; });
}

bool Rendezvous::sees_other_role() const {
  constexpr std::size_t at_once = 64;
  std::array<RendezvousRecord, at_once> records{};
  for (std::size_t first = 0;; first += at_once) {
    const auto at = static_cast<off_t>(RendezvousFile::place_of(first));
    const auto got = uninterrupted([&] { return ::pread(place_->watch.raw(), records.data(), sizeof records, at); });
    const std::size_t count = got > 0 ? static_cast<std::size_t>(got) / sizeof(RendezvousRecord) : 0;
    for (const RendezvousRecord& record : std::span(records).first(count)) {
      if (record.token != 0 && record.role != static_cast<std::uint32_t>(place_->role)) {
        return true;
      }
    }
    if (count < at_once) {
      return false;
    }
  }
}

Result<void> Rendezvous::await_other_role(Deadline deadline) const {
  Backoff backoff(deadline);
  while (!sees_other_role()) {
    const auto there = place_->keeper.find();
    if (!there || *there != object()) {
      return fail(there ? damaged(place_->uri, "what the channel goes through was removed or replaced from outside")
                        : there.error());
    }
    if (auto entered = progress(); !entered) {
      return fail(std::move(entered.error()));
    }
    if (auto slept = backoff.sleep(); !slept) {
      return fail(std::move(slept.error()).on(place_->uri));
    }
  }
  return {};
}

Result<std::vector<Participant>> Rendezvous::entered(Deadline deadline) const {
  return RendezvousFile::lock(*place_->domain, place_->file_name, deadline)
      .transform([this](const RendezvousFile& file) { return participants_in(*place_->domain, file); });
}

Result<Peer> Rendezvous::peer(Token token) const { return Peer::open(*place_->domain, token); }

// Does nothing for a sender that is not entered any more: nobody waits for what it would be told.
template <class Change>
Result<void> Rendezvous::Place::change_sender(Token sender, Deadline deadline, Change change) const {
  return RendezvousFile::lock(*domain, file_name, deadline).and_then([&](RendezvousFile file) -> Result<void> {
    const auto found = file.slot_of(sender);
    return found ? file.write(*found, change(file.records()[*found])) : Result<void>();
  });
}

Result<void> Rendezvous::confirm(Token sender, Deadline deadline) {
  return place_->change_sender(sender, deadline, [](RendezvousRecord record) {
    record.state = static_cast<std::uint32_t>(Progress::confirmed);
    return record;
  });
}

Result<void> Rendezvous::forget(Token sender, Deadline deadline) {
  return place_->change_sender(sender, deadline, [](const RendezvousRecord&) { return RendezvousRecord{}; });
}

Result<void> Rendezvous::leave(Deadline deadline) && {
  if (auto own = check_own(); !own) {
    return own;
  }
  auto left = place_->leave(deadline);
  place_.reset();
  return left;
}

// They may not have looked since this receiver came, and its entry goes.
Result<void> Rendezvous::Place::tell_senders(RendezvousFile& file) const {
  for (std::size_t i = 0; i < file.records().size(); ++i) {
    RendezvousRecord record = file.records()[i];
    const bool waits = record.token != 0 && record.role == static_cast<std::uint32_t>(Role::sender) &&
                       record.state == static_cast<std::uint32_t>(Progress::open);
    ++record.receivers_gone;
    if (auto told = waits ? file.write(i, record) : Result<void>(); !told) {
      return told;
    }
  }
  return {};
}

// A sender that leaves unconfirmed stays readable for the receiver, which may not have come to its last frames yet.
Result<void> Rendezvous::Place::take_out(RendezvousFile& file) const {
  const auto own = file.slot_of(life.token());
  if (!own) {
    return {};
  }
  if (role == Role::receiver) {
    if (auto told = tell_senders(file); !told) {
      return told;
    }
  }
  RendezvousRecord record = file.records()[*own];
  const bool unconfirmed = role == Role::sender && record.state == static_cast<std::uint32_t>(Progress::open);
  record.state = static_cast<std::uint32_t>(Progress::left);
  return file.write(*own, unconfirmed ? record : RendezvousRecord{});
}

Result<void> Rendezvous::Place::leave(Deadline deadline) {
  auto left = RendezvousFile::lock(*domain, file_name, deadline).and_then([&](RendezvousFile file) -> Result<void> {
    if (auto out = take_out(file); !out) {
      return out;
    }
    auto cleared = clear_unneeded(*domain, file);
    if (!cleared || cleared->anybody) {
      return cleared ? Result<void>() : fail(std::move(cleared.error()));
    }
    return remove_object(*domain, file, keeper).and_then([&] { return file.remove(*domain); });
  });
  auto life_left = std::move(life).leave();
  [[maybe_unused]] const auto swept = tenon::sweep(*domain);  // the life files of those who died at the other end
  // A file that somebody removed from outside is as gone as it should be.
  return !left && !left.failed_with(Errc::not_found) ? left : life_left;
}

void Rendezvous::sweep(const Domain& domain, const ObjectKeeper& keeper) {
  for (const std::string& name : rendezvous_files(domain)) {
    // Locked means in use; what cannot be opened or read is not ours to clean.
    auto file = RendezvousFile::lock(domain, name, immediately);
    if (!file) {
      continue;
    }
    const auto cleared = clear_unneeded(domain, *file);
    if (cleared && !cleared->anybody && remove_object(domain, *file, keeper)) {
      [[maybe_unused]] const auto removed = file->remove(domain);
    }
  }
}

}  // namespace tenon
