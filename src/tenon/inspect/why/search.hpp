#pragma once
/// The search for those who could end one wait: rescue.cpp, and one file for each way in which an object tells of them.
#include <tenon/inspect/why/rescue.hpp>

#include <set>

namespace tenon::inspect {

/// Where an object has users besides the one who waits, they are who could help; where it has none, whoever comes.
class Search {
 public:
  Search(const Snapshot& all, const Wait& wait) noexcept : all_(all), wait_(wait) {}
  Rescue run();

 private:
  void add_by_call();
  void add_by_object(std::size_t at);
  // Things that processes have open. search_open.cpp
  void add_of_open(std::size_t at);
  void add_of_socket(std::size_t at);
  void add_carriers(std::size_t at);
  void add_holders(std::size_t held, std::size_t object, Role role);
  // Things with owners, and those that tell of their users otherwise. search_owners.cpp
  void add_of_sysv_queue(std::size_t at);
  void add_of_set(std::size_t at);
  void add_of_lock(std::size_t at);
  void add_of_file_lock(std::size_t at);
  void add_users(std::size_t at);
  void add_owners(std::size_t at);
  void add_of_pattern(std::size_t at);

  // What the waiter has to do with one of Tenon's own: who its counterparts are, and whether it serves whoever comes.
  struct Part {
    Relation helpers;
    Role role;
    bool serves;
  };
  Part part_in(std::size_t at) const;

  void add(Rescuer helper);
  void add_others(Others others) noexcept;
  void judge_closed();
  bool wants_reader() const noexcept;
  bool serves_at_a_name(const Object& object) const;
  bool can_get_users(const Object& object) const;
  bool is_open_to_strangers(const Object& object) const;
  bool has_ended(pid_t pid) const;
  bool waits_for_itself_alone() const;
  bool ends_itself() const;
  bool is_signalled() const;

  const Snapshot& all_;
  const Wait& wait_;
  Rescue found_;
  std::set<pid_t> known_;       // of one object's helpers
  bool has_other_end_ = false;  // who waits is one of those who could help
  bool by_descriptor_ = false;  // or by a map: processes that are not seen may have the like
  bool for_strangers_ = false;  // other users may have it open
};

}  // namespace tenon::inspect
