#pragma once
/// What the kill harness is given: an operation, who goes on after it, and what must hold then.
#include <tenon/base/bytes.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace kit {

/// The world of one trial. The constructor makes it fresh in the harness's process (shared memory, a directory); the
/// victim and the survivors are children of that process and inherit it; the destructor takes all of it away.
class KillTrial {
 public:
  virtual ~KillTrial() = default;
  KillTrial() = default;
  KillTrial(const KillTrial&) = delete;
  KillTrial& operator=(const KillTrial&) = delete;

  /// In the victim, before the first instruction that counts.
  virtual void before() {}
  /// In the victim: the operation that is killed. One thread.
  virtual void operation() = 0;
  /// In a fresh process, once the victim is dead: goes on with the work, repairing what it must. It may throw to say
  /// what it found broken. Longer than 100 ms is a hang. It must itself be repeatable after a kill.
  virtual void survive() = 0;

  /// In the harness, at the end: what does not hold, a sentence each.
  virtual std::vector<std::string> broken() { return {}; }
  /// In the harness, at the end: what was left behind, a line each.
  virtual std::vector<std::string> leaked() { return {}; }

  /// Of all that the processes share: equal hashes, equal states.
  virtual std::uint64_t state() = 0;
  /// False if what is shared changes by system calls alone: then it need not be hashed after each instruction.
  virtual bool changes_without_calls() const { return true; }
  /// True if its path depends on the time, and it waits for nobody: then it has a steady clock (kit/steady.hpp).
  virtual bool wants_steady_clock() const { return false; }

  /// In a second process, while the first stands still in its operation; by default the same operation.
  virtual void rival() { operation(); }
  /// Whether a rival may have to wait until the first goes on, as for a lock.
  virtual bool rival_may_wait() const { return false; }

  /// The shared memory itself, for recovery from copies of it; empty if there is none to copy.
  virtual tenon::MutableBytes segment() { return {}; }
  /// In a fresh process: goes on from a copy. Throws to say what is broken.
  virtual void recover(tenon::MutableBytes) {}
};

struct KillCase {
  std::string name;
  std::function<std::unique_ptr<KillTrial>()> make;
  /// A control is known to be unsafe: the harness must find it so.
  bool control = false;
};

}  // namespace kit
