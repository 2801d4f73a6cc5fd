#include <kit/schedule_memory.hpp>

#include <kit/schedule_run.hpp>

#include <algorithm>

namespace kit {

namespace {

bool acquires(std::memory_order order) {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst || order == std::memory_order_consume;
}

bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}

bool agrees_with_all(std::memory_order order) { return order == std::memory_order_seq_cst; }

}  // namespace

void View::raise(std::size_t word, std::uint32_t to) {
  if (word >= oldest_.size()) {
    oldest_.resize(word + 1, 0);
  }
  oldest_[word] = std::max(oldest_[word], to);
}

void View::join(const View& other) {
  for (std::size_t word = 0; word < other.oldest_.size(); ++word) {
    raise(word, other.oldest_[word]);
  }
}

bool View::covers(const View& other) const noexcept {
  for (std::size_t word = 0; word < other.oldest_.size(); ++word) {
    if ((*this)[word] < other.oldest_[word]) {
      return false;
    }
  }
  return true;
}

Word::Word(std::uint64_t value) : id_(ScheduleRun::next_word()) { stores_.push_back({.value = value, .view = {}}); }

std::uint64_t Word::take(Knowledge& reader, std::uint32_t which, std::memory_order order) const {
  const Store& store = stores_[which];
  reader.seen.raise(id_, which);
  if (acquires(order)) {
    reader.seen.join(store.view);
  } else {
    reader.acquirable.join(store.view);
  }
  return store.value;
}

std::uint64_t Word::load(std::memory_order order) const {
  ScheduleRun* run = ScheduleRun::current();
  if (run == nullptr) {
    return stores_.back().value;
  }
  run->before_access();
  Knowledge& reader = run->knowledge();
  reader.tick();
  std::uint32_t oldest = reader.seen[id_];
  if (agrees_with_all(order)) {
    oldest = std::max(oldest, run->sequential()[id_]);
  }
  const auto back = static_cast<std::uint32_t>(run->choose_stale(newest() - oldest + 1));
  return take(reader, newest() - back, order);
}

void Word::put(Knowledge& writer, std::uint64_t value, std::memory_order order, const View* continued) {
  const std::uint32_t which = newest() + 1;
  writer.seen.raise(id_, which);
  View view = releases(order) ? writer.seen : writer.released;
  view.raise(id_, which);
  if (continued != nullptr) {
    view.join(*continued);  // a read-modify-write continues the release sequence of what it replaces
  }
  stores_.push_back({.value = value, .view = std::move(view)});
  if (agrees_with_all(order)) {
    ScheduleRun::current()->sequential().raise(id_, which);
  }
}

void Word::store(std::uint64_t value, std::memory_order order) {
  ScheduleRun* run = ScheduleRun::current();
  if (run == nullptr) {
    stores_.assign(1, {.value = value, .view = {}});
    return;
  }
  run->before_access();
  run->knowledge().tick();
  put(run->knowledge(), value, order, nullptr);
}

std::uint64_t Word::modify(const std::function<bool(std::uint64_t)>& wanted,
                           const std::function<std::uint64_t(std::uint64_t)>& change, std::memory_order order,
                           std::memory_order refused) {
  ScheduleRun* run = ScheduleRun::current();
  const std::uint64_t before = stores_.back().value;
  if (run == nullptr) {
    stores_.back().value = wanted(before) ? change(before) : before;
    return before;
  }
  run->before_access();
  Knowledge& self = run->knowledge();
  self.tick();
  const std::uint64_t found = stores_.back().value;
  if (!wanted(found)) {
    return take(self, newest(), refused);
  }
  const std::uint32_t replaced = newest();
  take(self, replaced, order);
  const View continued = stores_[replaced].view;
  put(self, change(found), order, &continued);
  return found;
}

std::uint64_t Word::read_plain() const {
  if (ScheduleRun* run = ScheduleRun::current()) {
    run->before_access();
    Knowledge& reader = run->knowledge();
    reader.tick();
    if (reader.seen[id_] != newest()) {
      run->fail("data race: a read of plain data is not ordered behind its last write");
    }
    readers_.raise(reader.clock, reader.seen[reader.clock]);
  }
  return stores_.back().value;
}

void Word::write_plain(std::uint64_t value) {
  ScheduleRun* run = ScheduleRun::current();
  if (run == nullptr) {
    stores_.assign(1, {.value = value, .view = {}});
    return;
  }
  run->before_access();
  Knowledge& writer = run->knowledge();
  writer.tick();
  if (writer.seen[id_] != newest() || !writer.seen.covers(readers_)) {
    run->fail("data race: a write of plain data is not ordered behind the last accesses of others");
  }
  put(writer, value, std::memory_order_relaxed, nullptr);
}

void thread_fence_of_run(std::memory_order order) {
  ScheduleRun* run = ScheduleRun::current();
  if (run == nullptr) {
    return;
  }
  run->before_access();
  Knowledge& self = run->knowledge();
  self.tick();
  if (acquires(order)) {
    self.seen.join(self.acquirable);
  }
  if (agrees_with_all(order)) {
    self.seen.join(run->sequential());
    run->sequential().join(self.seen);
  }
  if (releases(order)) {
    self.released = self.seen;
  }
}

}  // namespace kit
