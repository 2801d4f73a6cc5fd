#pragma once
/// What the readers of waits share: waits.cpp, and one file for each way in which a call names what it waits for.
#include <tenon/inspect/snapshot.hpp>
#include <tenon/inspect/waits/address_space.hpp>
#include <tenon/inspect/waits/domain_members.hpp>
#include <tenon/inspect/waits/sleepers.hpp>
#include <tenon/inspect/waits/system_call.hpp>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::inspect {

class WaitScene {
 public:
  /// Takes from `all` which processes are blocked by which locks on files, as the table of those tells.
  /// `domains` are directories.
  WaitScene(Snapshot& all, std::vector<std::string> domains, std::vector<Kind> kinds);

  Snapshot& all() noexcept { return all_; }
  const Snapshot& all() const noexcept { return all_; }
  /// Waits for locks on files, of some thread of each process.
  const std::vector<Wait>& file_locks() const noexcept { return file_locks_; }
  DomainMembers& members() noexcept { return members_; }
  /// Whether objects of that kind were asked for.
  bool lists(Kind kind) const noexcept;
  /// Its memory, read once. Nothing if it may not be read, or is gone.
  const AddressSpace* memory(pid_t pid);
  /// The place of an object by its kind and file, or by its kind and System V identifier.
  std::optional<std::size_t> find(Kind kind, FileId file) const noexcept;
  std::optional<std::size_t> find(Kind kind, int id) const noexcept;
  /// The lock at that place in memory: its place among the objects, added if it is not there yet.
  std::size_t lock_at(const AddressSpace::Place& place);
  /// Owners of locks that lock_at() has added, each once. They become edges when all has been read.
  std::vector<Edge>& owners() noexcept { return owners_; }
  /// Where a lock lies that lock_at() has added; nullptr of other objects.
  const AddressSpace::Place* place_of(std::size_t lock) const noexcept;

 private:
  std::string name_of_memory(const AddressSpace::Place& place) const;

  Snapshot& all_;
  std::vector<Wait> file_locks_;
  DomainMembers members_;
  std::vector<Kind> kinds_;
  std::vector<Edge> owners_;
  std::map<pid_t, std::optional<AddressSpace>> memories_;
  std::map<std::pair<FileId, std::uint64_t>, std::size_t> locks_;
  std::map<std::size_t, AddressSpace::Place> places_;
};

/// Fill in what the sleeper waits for: objects, need, and what could not be seen. False if it waits for no process.
bool read_descriptor_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_path_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_address_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_file_lock_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_poll_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_select_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_epoll_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_queue_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_set_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_word_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_words_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);
bool read_child_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait);

/// Adds an object to those that end the wait, once.
void add_object(Wait& wait, std::size_t object);

}  // namespace tenon::inspect
