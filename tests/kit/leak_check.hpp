#pragma once
/// What a piece of code holds afterwards that it did not hold before.
#include <string>
#include <vector>

namespace kit {

/// Where to look. Other tests run at the same time, so the whole machine can be looked at only from private
/// namespaces.
enum class Scope : unsigned char {
  process,  ///< this process's descriptors and children
  machine,  ///< those, /dev/shm, POSIX queues, System V memory, semaphores and queues
};

/// Everything held now, a line each: "descriptor 5: pipe:[123]", "System V memory 7, key 0x1f".
std::vector<std::string> holdings(Scope scope);

/// Fails the test for each thing that is held at its end and was not at its start.
///
///     const kit::LeakCheck check;
class LeakCheck {
 public:
  explicit LeakCheck(Scope scope = Scope::process) : scope_(scope), before_(holdings(scope)) {}
  ~LeakCheck();
  LeakCheck(const LeakCheck&) = delete;
  LeakCheck& operator=(const LeakCheck&) = delete;

  /// What would fail the test if it ended now.
  std::vector<std::string> leaked() const;

 private:
  Scope scope_;
  std::vector<std::string> before_;
};

}  // namespace kit
