/// System V semaphores. semctl(2)
#include <tenon/inspect/kernel/scene.hpp>

#include <algorithm>
#include <cerrno>
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

// Who sleeps on it, and, of a single semaphore, its value. Nothing where the mode does not let us read.
void add_figures(Object& object, int id, unsigned long count) {
  object.figures.push_back({.name = "semaphores", .value = count});
  std::uint64_t waiting = 0;
  for (unsigned long number = 0; number < count; ++number) {
    const auto for_more = ask(id, static_cast<int>(number), GETNCNT);
    const auto for_zero = ask(id, static_cast<int>(number), GETZCNT);
    if (!for_more || !for_zero) {
      return;
    }
    waiting += *for_more + *for_zero;
  }
  if (const auto value = count == 1 ? ask(id, 0, GETVAL) : std::nullopt) {
    object.figures.push_back({.name = "value", .value = *value});
  }
  object.figures.push_back({.name = "waiting", .value = waiting});
}

void add_set(Snapshot& into, const Scene& scene, int id, const semid_ds& set) {
  Object object = system_v_object(Kind::sysv_semaphore, id, set.sem_perm);
  add_figures(object, id, set.sem_nsems);
  object.changed = moment(set.sem_ctime);
  object.used = moment(set.sem_otime);
  const std::size_t place = add(into, std::move(object), scene.sightings);
  std::vector<pid_t> told;
  for (unsigned long number = 0; number < set.sem_nsems; ++number) {
    const auto last = ask(id, static_cast<int>(number), GETPID);
    const auto pid = static_cast<pid_t>(last.value_or(0));
    if (std::find(told.begin(), told.end(), pid) == told.end()) {
      told.push_back(pid);
      // SETVAL counts as an operation too, and only the other time tells of it.
      add_remembered(into, place, Relation::last_operated, pid, moment(std::max(set.sem_otime, set.sem_ctime)));
    }
  }
}

}  // namespace

void read_sysv_semaphores(const Scene& scene, Snapshot& into) {
  seminfo table{};
  const int highest = ::semctl(0, 0, SEM_INFO, Argument{.table = &table});
  if (highest == -1) {
    into.unseen.push_back("System V semaphores: " + os_failure("semctl", errno).message());
  }
  for (int place = 0; place <= highest; ++place) {
    semid_ds set{};
    if (const int id = ::semctl(place, 0, SEM_STAT_ANY, Argument{.set = &set}); id != -1) {
      add_set(into, scene, id, set);
    }
  }
}

}  // namespace tenon::inspect
