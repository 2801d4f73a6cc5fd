#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>

#include <tenon/ipc/sysv_semaphore/sysv_semaphore_limits.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/create_or_open.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <string>
#include <unistd.h>

namespace tenon {

namespace {

// A creator needs microseconds between semget and the first operation; one that needs longer than this has died.
constexpr auto half_made_patience = std::chrono::milliseconds(100);
constexpr auto half_made_recheck = std::chrono::milliseconds(1);

// The C library leaves its definition to the caller.
union Argument {
  int value;
  semid_ds* status;
  unsigned short* values;
};

std::string name_of_set(int id) { return "semaphore set " + std::to_string(id); }

bool is_gone(int os_error) noexcept { return os_error == EIDRM || os_error == EINVAL; }

Result<semid_ds> kernel_status(int id) {
  semid_ds status{};
  Argument argument{.status = &status};
  if (::semctl(id, 0, IPC_STAT, argument) == -1) {
    return fail(os_failure("semctl", errno));
  }
  return status;
}

SemaphoreSetStatus status_of(const semid_ds& kernel) {
  return {.size = kernel.sem_nsems,
          .owner = kernel.sem_perm.uid,
          .creator = kernel.sem_perm.cuid,
          .mode = static_cast<std::uint32_t>(kernel.sem_perm.mode) & 0777U,
          .last_operation = kernel.sem_otime};
}

Fail foreign(SysvKey key, uid_t found) {
  return fail(
      Error(Errc::permission_denied, "semget").on(key.text()).because("it belongs to uid " + std::to_string(found)));
}

Result<void> check_values(SysvKey key, const std::vector<std::uint16_t>& values) {
  if (values.empty()) {
    return fail(Error(Errc::invalid_argument, "semget").on(key.text()).because("a set has at least one semaphore"));
  }
  for (const std::uint16_t value : values) {
    if (value > SysvSemaphore::most) {
      return fail(semaphore_limits::value_refused("semctl", value).on(key.text()));
    }
  }
  return {};
}

}  // namespace

// How it stands with the set that has the key.
struct SysvSemaphore::Seen {
  int id;
  bool initialised;
};

// The time of the last operation is 0 until the first: semget(2) has it so, and neither SETVAL nor SETALL changes it.
// So a creator's first operation is what tells the others that the values are set.
Result<void> SysvSemaphore::initialise(const std::vector<std::uint16_t>& values) const {
  std::vector<unsigned short> copy(values.begin(), values.end());
  Argument argument{.values = copy.data()};
  if (::semctl(id_, 0, SETALL, argument) == -1) {
    return fail(os_failure("semctl", errno));
  }
  sembuf touch[2] = {{.sem_num = 0, .sem_op = 0, .sem_flg = IPC_NOWAIT}, {.sem_num = 0, .sem_op = 0, .sem_flg = 0}};
  std::size_t steps = 1;
  if (values.front() != 0) {  // takes one and gives it back
    touch[0].sem_op = -1;
    touch[1] = {.sem_num = 0, .sem_op = 1, .sem_flg = IPC_NOWAIT};
    steps = 2;
  }
  if (uninterrupted([&] { return ::semop(id_, touch, steps); }) == -1) {
    return fail(os_failure("semop", errno));
  }
  return {};
}

Result<SysvSemaphore> SysvSemaphore::create(SysvKey key, const std::vector<std::uint16_t>& values,
                                            Permissions permissions) {
  if (auto possible = check_values(key, values); !possible) {
    return fail(std::move(possible.error()));
  }
  const int flags = IPC_CREAT | IPC_EXCL | static_cast<int>(permissions.mode());
  const int id = ::semget(key.value(), static_cast<int>(values.size()), flags);
  if (id == -1) {
    return fail(semaphore_limits::creation_refused(values.size(), errno).on(key.text()));
  }
  SysvSemaphore made(id, true);
  if (auto done = made.initialise(values); !done) {
    if (is_gone(done.error().os_error())) {
      return fail(Error(Errc::stale, "semget").on(key.text()).because("somebody replaced it before it was complete"));
    }
    [[maybe_unused]] const auto taken_back = remove(id);  // the first error is the one to tell
    return fail(std::move(done.error()).on(key.text()));
  }
  return made;
}

Result<SysvSemaphore::Seen> SysvSemaphore::look(SysvKey key, uid_t owner) {
  if (key.is_unshared()) {
    return fail(
        Error(Errc::invalid_argument, "semget").because("an unshared key leads nowhere; adopt() the set's number"));
  }
  while (true) {
    const int id = ::semget(key.value(), 0, 0);
    if (id == -1) {
      return fail(os_failure("semget", errno).on(key.text()));
    }
    const auto status = kernel_status(id);
    if (status) {
      return status->sem_perm.uid == owner ? Result<Seen>(Seen{.id = id, .initialised = status->sem_otime != 0})
                                           : foreign(key, status->sem_perm.uid);
    }
    const auto found = status.failed_with(Errc::permission_denied) ? semaphore_limits::owner_of(id) : std::nullopt;
    if (found) {
      return foreign(key, *found);
    }
    if (!is_gone(status.error().os_error())) {
      return fail(Error(status.error()).on(key.text()));
    }
    // Removed since semget: the next one finds another, or none.
  }
}

Result<SysvSemaphore> SysvSemaphore::open(SysvKey key) { return open(key, ::geteuid()); }

Result<SysvSemaphore> SysvSemaphore::open(SysvKey key, uid_t owner) {
  const Deadline patience = after(half_made_patience);
  while (true) {
    const auto seen = look(key, owner);
    if (!seen) {
      return fail(seen.error());
    }
    if (seen->initialised) {
      return SysvSemaphore(seen->id, false);
    }
    if (patience.passed()) {
      return fail(Error(Errc::stale, "semget")
                      .on(key.text())
                      .because("nobody has ever operated on it: its creator died half-way, and open_or_create replaces "
                               "it; or it was made without Tenon, and adopt() takes it as it is"));
    }
    [[maybe_unused]] const auto slept = sleep_until(after(half_made_recheck));
  }
}

// A creator that lives but is slow finds its set gone, and says so: nobody has ever used what is removed here.
Result<SysvSemaphore> SysvSemaphore::open_or_create(SysvKey key, const std::vector<std::uint16_t>& values,
                                                    Permissions permissions) {
  const auto create_new = [&] {
    auto created = create(key, values, permissions);
    return created.failed_with(Errc::stale) ? fail(Errc::already_exists, "semget") : std::move(created);
  };
  const auto open_whole = [&]() -> Result<SysvSemaphore> {
    auto opened = open(key);
    if (!opened.failed_with(Errc::stale)) {
      return opened;
    }
    const auto seen = look(key, ::geteuid());
    auto removed = seen && !seen->initialised ? remove(seen->id) : Result<void>();
    if (!removed && !removed.failed_with(Errc::not_found)) {
      return fail(std::move(removed.error()));
    }
    return fail(Errc::not_found, "semget");
  };
  return create_or_open("semget", key.text(), create_new, open_whole);
}

Error SysvSemaphore::failure(std::size_t count, int os_error) const {
  switch (os_error) {
    case EAGAIN:
      return Error(Errc::would_block, "semop", os_error);
    case EIDRM:
      return Error(Errc::closed, "semop", os_error).on(name_of_set(id_)).because("the set was removed");
    case EINVAL:
      return count == 0 ? Error(Errc::invalid_argument, "semop", os_error).because("an operation has at least one step")
                        : failure(count, EIDRM);
    case ERANGE:
      return semaphore_limits::value_refused("semop", std::uint64_t{most} + 1).on(name_of_set(id_));
    case E2BIG:
      return semaphore_limits::steps_refused(count).on(name_of_set(id_));
    case EFBIG:
      return Error(Errc::invalid_argument, "semop", os_error).on(name_of_set(id_)).because("it has no such semaphore");
    default:
      return os_failure("semop", os_error).on(name_of_set(id_));
  }
}

Result<void> SysvSemaphore::refused(std::size_t count) const { return fail(failure(count, errno)); }

// The kernel takes a time to wait, no moment: so it is computed anew from the same moment for each call, and a signal
// does not prolong the wait. The wake of a post is the kernel's and cannot be lost; only a Stop must be looked for.
Result<void> SysvSemaphore::run(const sembuf* steps, std::size_t count, Deadline deadline) const {
  const auto raw = const_cast<sembuf*>(steps);  // the kernel writes nothing there
  while (true) {
    if (stop_requested(deadline)) {
      return fail(Errc::stopped, "semop");
    }
    const Deadline look = deadline.stop() == nullptr ? deadline : deadline.or_sooner(after(recheck_interval));
    const timespec left = timespec_of(look.is_never() ? 0 : look.left().count());
    if (::semtimedop(id_, raw, count, look.is_never() ? nullptr : &left) == 0) {
      return {};
    }
    if (errno != EINTR && errno != EAGAIN) {
      return fail(failure(count, errno));
    }
    if (deadline.passed()) {
      return fail(stop_requested(deadline) ? Errc::stopped : Errc::timed_out, "semop");
    }
  }
}

std::vector<LockRef> SysvSemaphore::taken_by(std::span<const SemaphoreStep> steps) const {
  std::vector<LockRef> taken;
  for (const SemaphoreStep& step : steps) {
    if (step.step_.sem_op < 0) {
      taken.push_back(lock_ref(step.step_.sem_num));
    }
  }
  return taken;
}

// What is taken in one operation is taken together; what it gives is let go of.
template <class Operate>
Result<void> SysvSemaphore::recorded(std::span<const SemaphoreStep> steps, TakenAt at, bool may_wait,
                                     Operate operate) const {
  const std::vector<LockRef> taken = taken_by(steps);
  auto operated = take_in_order(LockHooks::installed(), std::span(taken), at, may_wait, operate);
  for (const SemaphoreStep& step : steps) {
    if (operated && step.step_.sem_op > 0) {
      tell_released(step.step_.sem_num);
    }
  }
  return operated;
}

Result<void> SysvSemaphore::operate(std::span<const SemaphoreStep> steps, Deadline deadline,
                                    [[maybe_unused]] TakenAt at) const {
  const auto raw = reinterpret_cast<const sembuf*>(steps.data());
  if constexpr (is_checked) {
    return recorded(steps, at, !deadline.passed(), [&] { return run(raw, steps.size(), deadline); });
  }
  return run(raw, steps.size(), deadline);
}

Result<void> SysvSemaphore::try_operate(std::span<const SemaphoreStep> steps, [[maybe_unused]] TakenAt at) const {
  if constexpr (is_checked) {
    return recorded(steps, at, false, [&] { return try_operate_unrecorded(steps); });
  }
  return try_operate_unrecorded(steps);
}

Result<void> SysvSemaphore::try_operate_unrecorded(std::span<const SemaphoreStep> steps) const {
  const auto raw = reinterpret_cast<sembuf*>(const_cast<SemaphoreStep*>(steps.data()));
  const timespec at_once{};
  if (uninterrupted([&] { return ::semtimedop(id_, raw, steps.size(), &at_once); }) == -1) {
    return fail(failure(steps.size(), errno));
  }
  return {};
}

Result<void> SysvSemaphore::wait_for_zero(std::uint16_t which, Deadline deadline) const {
  const SemaphoreStep step = SemaphoreStep::until_zero(which);
  return run(&step.step_, 1, deadline);
}

Result<int> SysvSemaphore::read(int command, std::uint16_t which) const {
  const int got = ::semctl(id_, which, command);
  if (got != -1) {
    return got;
  }
  // EINVAL is a set that is gone as well as a semaphore that it does not have.
  const bool there = errno == EINVAL && kernel_status(id_).has_value();
  return fail(failure(1, there ? EFBIG : errno));
}

Result<unsigned> SysvSemaphore::value(std::uint16_t which) const {
  return read(GETVAL, which).transform([](int value) { return static_cast<unsigned>(value); });
}

Result<pid_t> SysvSemaphore::last_process(std::uint16_t which) const { return read(GETPID, which); }

Result<unsigned> SysvSemaphore::waiting(std::uint16_t which) const {
  return read(GETNCNT, which).transform([](int count) { return static_cast<unsigned>(count); });
}

Result<unsigned> SysvSemaphore::waiting_for_zero(std::uint16_t which) const {
  return read(GETZCNT, which).transform([](int count) { return static_cast<unsigned>(count); });
}

Result<SemaphoreSetStatus> SysvSemaphore::status() const {
  auto status = kernel_status(id_);
  if (!status) {
    return fail(failure(1, status.error().os_error()));
  }
  return status_of(*status);
}

Result<std::vector<std::uint16_t>> SysvSemaphore::values() const {
  return status().and_then([&](const SemaphoreSetStatus& set) -> Result<std::vector<std::uint16_t>> {
    std::vector<unsigned short> values(set.size);
    Argument argument{.values = values.data()};
    if (::semctl(id_, 0, GETALL, argument) == -1) {
      return fail(failure(1, errno));
    }
    return std::vector<std::uint16_t>(values.begin(), values.end());
  });
}

Result<void> SysvSemaphore::set_value(std::uint16_t which, std::uint16_t value) const {
  const Argument argument{.value = value};
  if (::semctl(id_, which, SETVAL, argument) == -1) {
    const bool there = errno == EINVAL && kernel_status(id_).has_value();
    return fail(failure(1, there ? EFBIG : errno));
  }
  return {};
}

Result<void> SysvSemaphore::remove(int id) {
  if (::semctl(id, 0, IPC_RMID) == -1) {
    return fail(
        (is_gone(errno) ? Error(Errc::not_found, "semctl", errno) : os_failure("semctl", errno)).on(name_of_set(id)));
  }
  return {};
}

Result<void> SysvSemaphore::unlink(SysvKey key) {
  if (key.is_unshared()) {
    return fail(
        Error(Errc::invalid_argument, "semget").because("an unshared key leads nowhere; remove() the set's number"));
  }
  const int id = ::semget(key.value(), 0, 0);
  if (id == -1) {
    return fail(os_failure("semget", errno).on(key.text()));
  }
  return remove(id);
}

}  // namespace tenon
