#pragma once
/// A stage for processes that wait for one another: what they share, and who has what of it open.
///
/// The test itself must not be one of those who could help. So it lets go of every descriptor before it asks, and each
/// process keeps those that it was given alone; memory is mapped by whoever uses it.
#include <kit/asleep.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace stuck {

struct PipeEnds {
  int out;  ///< to be read
  int in;   ///< to be written
};

/// POSIX memory of a page, made empty.
class Memory {
 public:
  explicit Memory(std::string name) : name_(std::move(name)) {}
  const std::string& name() const noexcept { return name_; }
  /// Mapped anew, for this process.
  std::byte* map() const;
  /// An object in it, mapped for good.
  template <class T>
  T& at(std::size_t offset) const {
    return *reinterpret_cast<T*>(map() + offset);
  }
  /// What `snapshot` calls a lock there.
  std::string lock(std::size_t offset) const { return "lock at byte " + std::to_string(offset) + " of " + name_; }

 private:
  std::string name_;
};

class Room {
 public:
  Room() = default;
  ~Room();
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  PipeEnds pipe();
  std::array<int, 2> sockets(int type);
  int eventfd();
  /// A descriptor that the room closes.
  int keep(int descriptor);
  Memory memory();
  std::string queue();  ///< a POSIX queue with room for one message; its name
  int sysv_queue(std::size_t bytes);
  int sysv_set(int count, int value);
  std::string path(std::string_view name) const { return directory_ / name; }
  void at_end(std::function<void()> undo) { undo_.push_back(std::move(undo)); }

  /// A process that runs `body` and keeps these descriptors alone; asleep when this returns.
  pid_t start(std::vector<int> keeps, const std::function<void()>& body);
  /// One that may sleep in several calls on its way, or has several threads: nobody waits for it.
  pid_t start_busy(std::vector<int> keeps, const std::function<void()>& body);
  /// SIGKILL, and reaped.
  void kill(pid_t pid);
  void stop(pid_t pid);
  /// Closes the test's own copies.
  void let_go();
  std::vector<pid_t> pids() const;

 private:
  kit::UniqueDirectory directory_;
  std::vector<int> descriptors_;
  std::vector<std::unique_ptr<kit::ReportedChild>> children_;
  std::vector<std::function<void()>> undo_;
};

/// "pipe:[4711]", as all tools call it.
std::string name_of_pipe(int end);
/// Sleeps for reasons of its own.
[[noreturn]] void live();

}  // namespace stuck
