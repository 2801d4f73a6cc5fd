#pragma once
/// What a futex word belongs to, as glibc lays out its locks on 64-bit machines. futex(2), pthread_mutex_lock(3)
///
/// A word alone does not say what it is. Its neighbours do: a mutex has its kind and its owner beside it, a condition
/// variable counts who uses it. Only what fits in every field is taken for one; all else is a word, and no more.
///
///     a mutex       0      4       8       12      16     20       (of 40 bytes)
///                  +------+-------+-------+-------+------+----
///                  | lock | count | owner | users | kind | –
///                  +------+-------+-------+-------+------+----
///     a semaphore   0       4         8        12      (of 32)
///                  +-------+---------+--------+----
///                  | value | waiters | shared | –
///                  +-------+---------+--------+----
///     a condition   0           8          16          24         32        36       40          48
///     variable     +-----------+----------+-----------+----------+---------+--------+-----------+
///                  | waited on | first of | users of  | sizes of | size of | users, | signals   |
///                  |           | group 1  | 2 groups  | 2 groups | group 1 | flags  | of 2      |
///                  +-----------+----------+-----------+----------+---------+--------+-----------+
///     a read-write  0         4         8       12       16 20   24     28       (of 56)
///     lock         +---------+---------+-------+--------+-----+--------+--------+----
///                  | readers | writers | phase | writer | –   | writer | shared | –
///                  |         |         | word  | word   |     | is     |        |
///                  +---------+---------+-------+--------+-----+--------+--------+----
#include <tenon/inspect/waits/address_space.hpp>
#include <tenon/inspect/waits/sleepers.hpp>

#include <cstdint>
#include <optional>

namespace tenon::inspect {

/// One word that a thread sleeps on.
struct FutexWait {
  std::uint64_t address;
  std::uint32_t expected;  ///< it sleeps while that stands there
  bool shared;             ///< between processes
  bool inherits;           ///< its priority goes to the owner, whom the kernel reads from the word
};
/// Nothing if the call is none that waits.
std::optional<FutexWait> futex_wait(const Call& call) noexcept;

enum class LockKind : std::uint8_t { word, mutex, robust_mutex, pi_mutex, semaphore, condition, rw_lock };
/// "mutex", "condition variable", "" of a word.
const char* name_of(LockKind kind) noexcept;

struct LockWord {
  LockKind kind = LockKind::word;
  std::uint64_t begin;           ///< its address, in the waiter's memory
  pid_t owner = 0;               ///< a thread, in its own PID namespace; 0: nobody, or it is not kept
  bool owner_died = false;       ///< the kernel has said so, and nobody has taken it since
  std::uint32_t must_leave = 0;  ///< of a condition variable whose signaller or destroyer sleeps: users it waits for
  int group = -1;                ///< of a condition variable: in which of its two groups; 2: both
};
/// Nothing if the word cannot be read, or has changed: then whoever sleeps on it is being woken.
std::optional<LockWord> lock_word(const AddressSpace& memory, const FutexWait& wait);

}  // namespace tenon::inspect
