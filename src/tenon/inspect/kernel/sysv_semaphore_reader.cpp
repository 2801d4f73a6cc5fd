/// System V semaphores. semctl(2)
#include <tenon/inspect/kernel/scene.hpp>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <sys/sem.h>

namespace tenon::inspect {

namespace {

// POSIX lets the caller define it.
union Argument {
  int value;
  semid_ds* set;
  seminfo* table;
};

std::optional<std::uint64_t> ask(int id, int number, int what) {
  const int answer = ::semctl(id, number, what);
  return answer == -1 ? std::nullopt : std::optional<std::uint64_t>(static_cast<std::uint64_t>(answer));
}

// Each of the set. Nothing where the mode does not let us read.
std::vector<SemaphoreOfSet> read_set(int id, unsigned long count) {
  std::vector<SemaphoreOfSet> set;
  for (int number = 0; number < static_cast<int>(count); ++number) {
    const auto value = ask(id, number, GETVAL);
    const auto for_more = ask(id, number, GETNCNT);
    const auto for_zero = ask(id, number, GETZCNT);
    const auto last = ask(id, number, GETPID);
    if (!value || !for_more || !for_zero || !last) {
      return {};
    }
    set.push_back({.value = *value,
                   .waiting_for_more = *for_more,
                   .waiting_for_zero = *for_zero,
                   .last = static_cast<pid_t>(*last)});
  }
  return set;
}

// Who sleeps on it, and, of a single semaphore, its value.
void add_figures(Object& object, unsigned long count) {
  object.figures.push_back({.name = "semaphores", .value = count});
  if (object.set.empty()) {
    return;
  }
  std::uint64_t waiting = 0;
  for (const SemaphoreOfSet& one : object.set) {
    waiting += one.waiting_for_more + one.waiting_for_zero;
  }
  if (count == 1) {
    object.figures.push_back({.name = "value", .value = object.set.front().value});
  }
  object.figures.push_back({.name = "waiting", .value = waiting});
  if (waiting > 0) {
    object.awaited = {Need::lock};
  }
}

void add_set(Snapshot& into, int id, const semid_ds& set) {
  Object object = system_v_object(Kind::sysv_semaphore, id, set.sem_perm);
  object.set = read_set(id, set.sem_nsems);
  add_figures(object, set.sem_nsems);
  object.changed = moment(set.sem_ctime);
  object.used = moment(set.sem_otime);
  add_time(object, "operated", set.sem_otime);
  std::vector<pid_t> last;
  std::ranges::transform(object.set, std::back_inserter(last), &SemaphoreOfSet::last);
  std::ranges::sort(last);
  const auto twice = std::ranges::unique(last);
  last.erase(twice.begin(), twice.end());
  const std::size_t place = add(into, std::move(object));
  for (const pid_t pid : last) {
    // SETVAL counts as an operation too, and only the other time tells of it.
    add_remembered(into, place, Relation::last_operated, pid, moment(std::max(set.sem_otime, set.sem_ctime)));
  }
}

}  // namespace

void read_sysv_semaphores(Snapshot& into) {
  seminfo table{};
  const int highest = ::semctl(0, 0, SEM_INFO, Argument{.table = &table});
  if (highest == -1) {
    into.unseen.push_back("System V semaphores: " + os_failure("semctl", errno).message());
  }
  for (int place = 0; place <= highest; ++place) {
    semid_ds set{};
    if (const int id = ::semctl(place, 0, SEM_STAT_ANY, Argument{.set = &set}); id != -1) {
      add_set(into, id, set);
    }
  }
}

}  // namespace tenon::inspect
