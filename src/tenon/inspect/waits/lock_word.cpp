#include <tenon/inspect/waits/lock_word.hpp>

#include <tenon/inspect/waits/system_call.hpp>

#include <array>
#include <linux/futex.h>
#include <string_view>

namespace tenon::inspect {

namespace {

constexpr std::uint32_t shared_flag = 128;  // of a mutex's kind and of a semaphore

// The word and its neighbours on both sides; zero where there is no memory.
class Around {
 public:
  Around(const AddressSpace& memory, std::uint64_t address) noexcept : memory_(memory), address_(address) {}

  std::uint32_t at(std::int64_t distance) const noexcept {
    return memory_.value<std::uint32_t>(address_ + static_cast<std::uint64_t>(distance)).value_or(0);
  }

 private:
  const AddressSpace& memory_;
  std::uint64_t address_;
};

// No thread has a higher id; and nothing has more users than there can be threads.
constexpr std::uint32_t most_threads = 1U << 22;

constexpr bool is_thread(std::uint32_t id) noexcept { return id > 0 && id < most_threads; }

constexpr std::uint32_t robust = 16, inherit = 32;  // of a mutex's kind, beside shared_flag

// Whether what stands around the word is a mutex that somebody holds: each field has what glibc writes there.
bool is_held_mutex(const Around& near, std::uint32_t kind) {
  constexpr std::int64_t count = 4, users = 12, spins = 20, list = 24, list_end = 40;
  constexpr std::uint32_t protect = 64, elision = 256, no_elision = 512, type = 3, recursive = 1, adaptive = 3;
  constexpr std::uint32_t known = type | robust | inherit | protect | shared_flag | elision | no_elision;
  bool is_listed = false;
  for (std::int64_t at = list; at < list_end; at += 4) {
    is_listed = is_listed || near.at(at) != 0;
  }
  const bool spins_fit = near.at(spins) == 0 || (kind & type) == adaptive || (kind & elision) != 0;
  // Those of the slow path are counted once, recursive or not.
  const std::uint32_t counted = (kind & (robust | inherit | protect)) != 0 ? 1 : 0;
  const bool count_fits = near.at(count) <= counted || (kind & type) == recursive;
  const bool users_fit = near.at(users) > 0 && near.at(users) < most_threads;
  return (kind & ~known) == 0 && count_fits && users_fit && spins_fit && (!is_listed || (kind & robust) != 0);
}

std::optional<LockWord> as_mutex(const Around& near, const FutexWait& wait, std::uint32_t word) {
  constexpr std::int64_t owner = 8, kind = 16;
  const std::uint32_t flags = near.at(kind);
  const bool is_robust = (flags & robust) != 0;
  const bool inherits = (flags & inherit) != 0;
  const bool fits = ((flags & shared_flag) != 0) == wait.shared && inherits == wait.inherits;
  const bool holds_id = is_robust || inherits;
  const bool plain = word == 2 && wait.expected == 2;
  if (!fits || holds_id == plain || !is_held_mutex(near, flags)) {
    return std::nullopt;
  }
  const std::uint32_t id = plain ? near.at(owner) : word & FUTEX_TID_MASK;
  const bool owner_died = holds_id && (word & FUTEX_OWNER_DIED) != 0;
  if (!is_thread(id) && !owner_died) {
    return std::nullopt;
  }
  return LockWord{.kind = inherits    ? LockKind::pi_mutex
                          : is_robust ? LockKind::robust_mutex
                                      : LockKind::mutex,
                  .begin = wait.address,
                  .owner = static_cast<pid_t>(id),
                  .owner_died = owner_died};
}

std::optional<LockWord> as_semaphore(const Around& near, const FutexWait& wait, std::uint32_t word) {
  constexpr std::int64_t waiters = 4, shared = 8, padding = 12;
  const bool fits = word == 0 && wait.expected == 0 && near.at(waiters) > 0 && near.at(waiters) < most_threads &&
                    near.at(shared) == (wait.shared ? shared_flag : 0) && near.at(padding) == 0;
  return fits ? std::optional(LockWord{.kind = LockKind::semaphore, .begin = wait.address}) : std::nullopt;
}

// At which byte of a condition variable the word would stand, and how many users its sleeper waits for there.
struct ConditionPart {
  std::int64_t at;
  bool leaving;
  int group;
};
constexpr std::array condition_parts = {ConditionPart{40, false, 0}, ConditionPart{44, false, 1},
                                        ConditionPart{16, true, 0}, ConditionPart{20, true, 1},
                                        ConditionPart{36, true, 2}};

// Its waiters have places in one row, of which those of the first group come first.
bool has_waited_on(const Around& near, std::int64_t begin) {
  constexpr std::int64_t waited_on = 0, first_of_group_1 = 8;
  const auto place = [&](std::int64_t at) {
    return (static_cast<std::uint64_t>(near.at(begin + at + 4)) << 32 | near.at(begin + at)) >> 1;
  };
  const std::uint64_t last = place(waited_on);
  const std::uint64_t first = place(first_of_group_1);
  return last > 0 && first <= last && last - first < std::uint64_t{1} << 31;
}

std::optional<LockWord> as_condition(const Around& near, const FutexWait& wait, std::uint32_t word) {
  constexpr std::int64_t users = 36;
  constexpr std::uint32_t flags = 7, is_shared = 1, waking = 4;
  for (const ConditionPart& part : condition_parts) {
    const std::uint32_t all = near.at(users - part.at);
    const bool used = all >> 3 > 0 && all >> 3 < most_threads && ((all & is_shared) != 0) == wait.shared &&
                      has_waited_on(near, -part.at);
    const bool asks_to_leave = part.at == users ? (word & waking) != 0 : (word & 1) != 0 && (word & ~1U) != 0;
    if (!used || (!part.leaving && wait.expected != 0) || (part.leaving && !asks_to_leave)) {
      continue;
    }
    if (part.leaving && part.at != users && (word >> 1) > (all >> 3)) {
      continue;
    }
    return LockWord{.kind = LockKind::condition,
                    .begin = wait.address - static_cast<std::uint64_t>(part.at),
                    .must_leave = !part.leaving      ? 0
                                  : part.at == users ? (word & ~flags) >> 3
                                                     : word >> 1,
                    .group = part.group};
  }
  return std::nullopt;
}

bool is_held_rw_lock(const Around& near, std::int64_t begin, bool is_shared) {
  constexpr std::int64_t readers = 0, writers = 4, writer = 24, shared = 28, preference = 48;
  bool is_padded = true;
  for (const std::int64_t at : {16, 20, 32, 36, 40, 44, 52}) {
    is_padded = is_padded && near.at(begin + at) == 0;
  }
  const std::uint32_t owner = near.at(begin + writer);
  return is_padded && near.at(begin + readers) > 0 && near.at(begin + writers) < most_threads &&
         near.at(begin + shared) == (is_shared ? 1 : 0) && near.at(begin + preference) <= 2 &&
         (owner == 0 || is_thread(owner));
}

// Readers sleep on the word of the phase, writers on that or on their own.
std::optional<LockWord> as_rw_lock(const Around& near, const FutexWait& wait, std::uint32_t word) {
  constexpr std::int64_t writer = 24;
  for (const std::int64_t at : {8, 12}) {
    if (word == wait.expected && (word == 2 || word == 3) && is_held_rw_lock(near, -at, wait.shared)) {
      return LockWord{.kind = LockKind::rw_lock,
                      .begin = wait.address - static_cast<std::uint64_t>(at),
                      .owner = static_cast<pid_t>(near.at(writer - at))};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<FutexWait> futex_wait(const Call& call) noexcept {
  const auto& arguments = call.arguments;
  if (std::string_view(system_call(call.number)->name) == "futex_wait") {
    return FutexWait{.address = arguments[0],
                     .expected = static_cast<std::uint32_t>(arguments[1]),
                     .shared = (arguments[3] & FUTEX_PRIVATE_FLAG) == 0,
                     .inherits = false};
  }
  constexpr std::uint64_t lock_pi2 = 13;
  const std::uint64_t operation = arguments[1] & static_cast<std::uint32_t>(FUTEX_CMD_MASK);
  const bool inherits = operation == FUTEX_LOCK_PI || operation == lock_pi2;
  if (!inherits && operation != FUTEX_WAIT && operation != FUTEX_WAIT_BITSET && operation != FUTEX_WAIT_REQUEUE_PI) {
    return std::nullopt;
  }
  return FutexWait{.address = arguments[0],
                   .expected = static_cast<std::uint32_t>(arguments[2]),
                   .shared = (arguments[1] & FUTEX_PRIVATE_FLAG) == 0,
                   .inherits = inherits};
}

const char* name_of(LockKind kind) noexcept {
  constexpr std::array names = {"",
                                "mutex",
                                "robust mutex",
                                "mutex with priority inheritance",
                                "semaphore",
                                "condition variable",
                                "read-write lock"};
  return names.at(static_cast<std::size_t>(kind));
}

std::optional<LockWord> lock_word(const AddressSpace& memory, const FutexWait& wait) {
  const auto word = memory.value<std::uint32_t>(wait.address);
  if (!word || (!wait.inherits && *word != wait.expected)) {
    return std::nullopt;
  }
  const Around near(memory, wait.address);
  constexpr bool known_layout = sizeof(void*) == 8;
  for (const auto as : {as_mutex, as_semaphore, as_rw_lock, as_condition}) {
    if (const auto found = known_layout ? as(near, wait, *word) : std::nullopt) {
      return found;
    }
  }
  return LockWord{.begin = wait.address};
}

}  // namespace tenon::inspect
