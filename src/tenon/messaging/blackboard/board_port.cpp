#include <tenon/messaging/blackboard/board_port.hpp>

#include <tenon/os/membarrier.hpp>

#include <algorithm>
#include <cstring>

namespace tenon {

// Who only reads rings for nobody, and need not pass the barriers of those who sleep.
BoardPort::BoardPort(Token self, BoardFile file) noexcept
    : self_(self),
      file_(std::move(file)),
      registered_(file_.access() == Access::read_write && register_for_barriers()),
      fork_(ForkCount::begin()) {
  if (file_.access() == Access::read_write && !barrier_for_all()) {
    file_.state().barred.store(1, std::memory_order_relaxed);  // before it can wait for anything: see announce()
  }
}

Result<std::unique_ptr<BoardPort>> BoardPort::own(Token self, Result<BoardFile> file) {
  return std::move(file).transform(
      [&](BoardFile opened) { return std::unique_ptr<BoardPort>(new BoardPort(self, std::move(opened))); });
}

Result<std::unique_ptr<BoardPort>> BoardPort::create(const Holder& holder, std::string_view name,
                                                     const BoardOptions& options, const BoardTypes& types) {
  return holder.may_share(holder.domain_id()).and_then([&] {
    return own(holder.token(), BoardFile::create(holder.domain(), name, holder.token(), options, types));
  });
}

Result<std::unique_ptr<BoardPort>> BoardPort::open(const Holder& holder, std::string_view name) {
  return holder.may_share(holder.domain_id()).and_then([&] {
    return own(holder.token(), BoardFile::open(holder.domain(), name, Access::read_write));
  });
}

Result<std::unique_ptr<BoardPort>> BoardPort::open_for_reading(const Domain& domain, std::string_view name) {
  return own(nobody, BoardFile::open(domain, name, Access::read));
}

std::size_t BoardPort::first_place(Bytes key) const noexcept {
  return hash_of_text(text_of(key)) & (file_.header().table_places - 1);
}

std::optional<std::uint32_t> BoardPort::find(Bytes key) const noexcept {
  const auto table = file_.table();
  std::size_t place = first_place(key);
  for (std::size_t looks = 0; looks < table.size(); ++looks) {
    const std::uint32_t entry = table[place].load(std::memory_order_acquire) - 1;  // K1
    if (entry >= file_.header().entries) {
      return std::nullopt;  // it is free
    }
    if (std::memcmp(file_.key(entry).data(), key.data(), key.size()) == 0) {
      return entry;
    }
    place = (place + 1) & (table.size() - 1);
  }
  return std::nullopt;
}

Result<void> BoardPort::may_write(const char* call) const {
  if (file_.access() == Access::read) {
    return fail(Error(Errc::permission_denied, call).on(file_.name()).because("it was opened for reading alone"));
  }
  return ForkCount::now() == fork_ ? Result<void>() : fail(Error(Errc::in_child, call).on(file_.name()));
}

Result<std::uint32_t> BoardPort::find_or_add(Bytes key, std::uint32_t type, Deadline deadline) {
  if (const auto found = find(key)) {
    return *found;
  }
  if (auto allowed = may_write("Blackboard::add"); !allowed) {
    return fail(std::move(allowed.error()));
  }
  auto guard = mutex_in(file_.state().adding).lock(deadline);
  if (!guard) {
    return fail(std::move(guard.error()).on(file_.name()));
  }
  if (guard->owner_died()) {
    repair();
    guard->mark_consistent();
  }
  if (const auto found = find(key)) {
    return *found;  // somebody was quicker
  }
  std::atomic<std::uint32_t>& used = file_.state().used;
  const std::uint32_t entry = used.load(std::memory_order_relaxed);  // under the mutex
  if (entry >= file_.header().entries) {
    return fail(Error(Errc::limit_reached, "Blackboard::add")
                    .on(file_.name())
                    .with({.name = "keys",
                           .value = file_.header().entries,
                           .wanted = std::uint64_t{file_.header().entries} + 1,
                           .remedy = "make the blackboard with more keys"}));
  }
  std::ranges::copy(key, file_.key(entry).begin());
  file_.entry(entry).type = type;
  file_.entry(entry).ready.store(1, std::memory_order_release);  // K2
  give_place(entry);
  used.store(entry + 1, std::memory_order_release);  // K3
  return entry;
}

// Of an entry that has none yet.
void BoardPort::give_place(std::uint32_t entry) noexcept {
  const auto table = file_.table();
  std::size_t place = first_place(file_.key(entry));
  // relaxed: under the mutex; at most half of the places are ever taken.
  while (table[place].load(std::memory_order_relaxed) != 0) {
    place = (place + 1) & (table.size() - 1);
  }
  table[place].store(entry + 1, std::memory_order_release);  // K1
}

// What the last one who added may have left: an entry that is ready and has no place, and a count that is one less.
void BoardPort::repair() noexcept {
  std::atomic<std::uint32_t>& used = file_.state().used;
  std::uint32_t entry = used.load(std::memory_order_relaxed);  // under the mutex
  for (; entry < file_.header().entries && is_ready(entry); ++entry) {
    if (!find(file_.key(entry))) {
      give_place(entry);
    }
  }
  used.store(entry, std::memory_order_release);  // K3
}

Result<MutexGuard> BoardPort::lock(std::uint32_t entry, Deadline deadline) {
  if (auto allowed = may_write("Blackboard::write"); !allowed) [[unlikely]] {
    return fail(std::move(allowed.error()));
  }
  auto guard = mutex_in(file_.entry(entry).mutex).lock(deadline);
  if (!guard) [[unlikely]] {
    return fail(std::move(guard.error()).on(file_.name()));
  }
  if (guard->owner_died()) [[unlikely]] {
    guard->mark_consistent();  // what it had begun to write was never stored
  }
  return guard;
}

std::uint32_t BoardPort::announce(BellWord<>& bell) noexcept {
  if (file_.access() == Access::read) {
    return bell.word().load(std::memory_order_relaxed);  // nobody is told: the recheck finds what is new
  }
  const std::uint32_t told = bell.announce();
  fence_before_looking(bell.word());
  barrier_for_all();
  return told;
}

Result<void> BoardPort::wait(std::uint32_t entry, std::uint64_t number, Deadline deadline) {
  constexpr int some_microseconds = 200;  // as many pauses
  const SequencedCopies<> copies = file_.copies(entry);
  return wait_at(
      bell_in(file_.entry(entry).bell), some_microseconds, [&] { return copies.number() > number; }, deadline);
}

BoardChanges::BoardChanges(BoardPort& port, From from) : port_(&port) {
  meet_new_keys();
  for (std::size_t i = 0; from == From::now && i < told_.size(); ++i) {
    told_[i] = number_of(i);
  }
}

void BoardChanges::meet_new_keys() {
  const std::uint32_t most = port_->file().header().entries;
  while (told_.size() < most && port_->is_ready(static_cast<std::uint32_t>(told_.size()))) {
    told_.push_back(0);
  }
}

bool BoardChanges::find_change() noexcept {
  std::uint32_t entry = last_.entry;
  for (std::size_t looks = 0; looks < told_.size(); ++looks) {
    entry = entry + 1 < told_.size() ? entry + 1 : 0;
    const std::uint64_t number = number_of(entry);
    if (number != told_[entry]) {
      told_[entry] = number;
      last_ = {.entry = entry, .number = number};
      return true;
    }
  }
  return false;
}

Result<BoardChanges::Change> BoardChanges::next(Deadline deadline) {
  const auto is_there = [this] {
    meet_new_keys();
    return find_change();
  };
  return port_->wait_for_any(is_there, deadline).transform([this] { return last_; });
}

}  // namespace tenon
