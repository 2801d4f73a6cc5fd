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

std::optional<LockWord> as_mutex(const Around& near, const FutexWait& wait, std::uint32_t word) {
  constexpr std::int64_t owner = 8, kind = 16;
  constexpr std::uint32_t robust = 16, inherit = 32, known = 0x1ff;
  const std::uint32_t flags = near.at(kind);
  const bool is_robust = (flags & robust) != 0;
  const bool inherits = (flags & inherit) != 0;
  if ((flags & ~known) != 0 || ((flags & shared_flag) != 0) != wait.shared || inherits != wait.inherits) {
    return std::nullopt;
  }
  const bool holds_id = is_robust || inherits;
  const bool plain = word == 2 && wait.expected == 2;
  if (holds_id == plain) {
    return std::nullopt;
  }
  const std::uint32_t id = plain ? near.at(owner) : word & FUTEX_TID_MASK;
  return LockWord{.kind = inherits    ? LockKind::pi_mutex
                          : is_robust ? LockKind::robust_mutex
                                      : LockKind::mutex,
                  .begin = wait.address,
                  .owner = static_cast<pid_t>(id),
                  .owner_died = holds_id && (word & FUTEX_OWNER_DIED) != 0};
}

std::optional<LockWord> as_semaphore(const Around& near, const FutexWait& wait, std::uint32_t word) {
  constexpr std::int64_t waiters = 4, shared = 8, padding = 12;
  const bool fits = word == 0 && wait.expected == 0 && near.at(waiters) > 0 && near.at(waiters) < 1U << 22 &&
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

std::optional<LockWord> as_condition(const Around& near, const FutexWait& wait, std::uint32_t word) {
  constexpr std::int64_t users = 36;
  constexpr std::uint32_t flags = 7, is_shared = 1, waking = 4;
  for (const ConditionPart& part : condition_parts) {
    const std::uint32_t all = near.at(users - part.at);
    const bool used = all >> 3 > 0 && all >> 3 < 1U << 22 && ((all & is_shared) != 0) == wait.shared;
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

// Readers sleep on the word of the phase, writers on that or on their own.
std::optional<LockWord> as_rw_lock(const Around& near, const FutexWait& wait, std::uint32_t word) {
  constexpr std::int64_t padding = 16, more_padding = 20, writer = 24, shared = 28;
  for (const std::int64_t at : {8, 12}) {
    const bool fits = word == wait.expected && (word == 2 || word == 3) &&
                      near.at(shared - at) == (wait.shared ? 1 : 0) && near.at(-at) > 0 && near.at(padding - at) == 0 &&
                      near.at(more_padding - at) == 0;
    if (fits) {
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
  const std::uint64_t operation = arguments[1] & FUTEX_CMD_MASK;
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
