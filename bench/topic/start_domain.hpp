#pragma once
/// A domain for each start of a subject: what its sides leave behind when they are killed, the next start does not
/// sweep, and no two starts meet at one topic.
#include <tenon/base/bytes.hpp>
#include <tenon/base/cache_line.hpp>
#include <tenon/os/life.hpp>
#include <tenon/sync/holder.hpp>

#include <cstddef>
#include <string>

namespace topics {

/// What a subject's shared memory begins with: the number of its start.
inline constexpr std::size_t start_bytes = tenon::cache_line;

/// The directory in which everything of this run lies.
const std::string& path_of_run();
/// The path of its domain, where there is one: no other start has it, in a directory that goes with the run.
std::string path_of_start(tenon::MutableBytes shared);

/// For Subject::prepare: a new domain, whose number is written there. Removes those of starts that are over.
void new_domain(tenon::MutableBytes shared);

/// A process in the domain of its start, for as long as it runs.
class Member {
 public:
  explicit Member(tenon::MutableBytes shared);
  Member(const Member&) = delete;  // what it hands out borrows from it
  Member& operator=(const Member&) = delete;
  const tenon::Holder& holder() const noexcept { return holder_; }

 private:
  tenon::Domain domain_;
  tenon::Life life_;
  tenon::Holder holder_;
};

/// Removes what all starts have left, when it goes: one for each program, before anything is started.
class DomainsOfRun {
 public:
  DomainsOfRun();
  ~DomainsOfRun();
  DomainsOfRun(const DomainsOfRun&) = delete;
  DomainsOfRun& operator=(const DomainsOfRun&) = delete;
};

}  // namespace topics
