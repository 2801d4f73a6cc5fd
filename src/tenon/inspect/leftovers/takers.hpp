#pragma once
/// Those who take part in something of a domain, the living and the dead. os/life.hpp
#include <tenon/inspect/leftovers/leftover_verdict.hpp>
#include <tenon/inspect/patterns/lives.hpp>
#include <tenon/os/token.hpp>

#include <cstddef>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

class Takers {
 public:
  /// Borrows it.
  explicit Takers(Lives& lives) noexcept : lives_(&lives) {}

  /// Whether that one lives. Each process counts once, however many ends it has.
  bool add(Token life);

  const std::vector<pid_t>& living() const noexcept { return living_; }
  std::size_t dead() const noexcept { return dead_.size(); }
  bool nobody_lives() const noexcept { return living_.empty(); }
  /// "processes 812 and 815", "process 812 and one that is forgotten", "" if nobody is dead.
  std::string dead_text() const;

 private:
  Lives* lives_;
  std::vector<Token> known_;
  std::vector<pid_t> living_;  ///< 0: it is not told
  std::vector<pid_t> dead_;    ///< 0: its life file was swept up
};

}  // namespace tenon::inspect
