#pragma once
/// What `tenon gc` has found: the kernel's objects and the parts of a domain, in one list.
#include <tenon/inspect/leftovers/domain_leftovers.hpp>
#include <tenon/inspect/leftovers/object_verdicts.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tenon::cli {

struct LeftoverRow {
  std::string kind;  ///< "sysv_memory", "topic"
  std::string name;  ///< as `tenon rm` takes it behind the kind, not escaped
  inspect::Judgement judgement;
  std::optional<std::size_t> object = {};            ///< in the snapshot
  std::optional<inspect::DomainLeftover> part = {};  ///< or of the domain
};

struct LeftoverList {
  std::string domain;
  inspect::Snapshot all;
  std::vector<LeftoverRow> rows;    ///< none that is in use
  std::vector<std::string> unseen;  ///< sentences
};

struct LeftoverChoice {
  std::vector<std::string> kinds;  ///< of both; all if empty
  std::vector<std::string> directories;
  std::string domain;
};

/// "posix_queue, …, life, channel, topic"
std::string known_leftovers();

/// Looks at all of it. What another user owns and this one may not take away is unjudged. Failures: invalid_argument
/// (a kind that there is not), those of domain_leftovers().
Result<LeftoverList> find_leftovers(const LeftoverChoice& choice);

/// Takes one away, judged once more right before. Outcomes: not_found (somebody else was quicker), stale (it is in use
/// again). Failures: as remove() and remove_left_over().
Result<void> remove_leftover(const LeftoverList& list, const LeftoverRow& row);

}  // namespace tenon::cli
