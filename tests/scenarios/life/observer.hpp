#pragma once
/// Sees one member in all three ways at once: by a Roster, by a Peer and by its name.
#include "row.hpp"
#include <kit/scratch_domain.hpp>

#include <tenon/os/life.hpp>
#include <tenon/os/life_roster.hpp>

namespace life_table {

using kit::ScratchDomain;

/// Whether the Roster only listens, or also looks.
enum class Ears : std::uint8_t { only, and_eyes };

class Observer {
 public:
  Observer(const ScratchDomain& domain, tenon::Token token, Ears ears = Ears::and_eyes);

  /// Waits for the end and returns what was seen: one word if all agree. `since` is CLOCK_MONOTONIC; the milliseconds
  /// go into `notice`.
  std::string end(std::int64_t since, std::vector<double>& notice);
  /// "alive" if it is so to all for several rechecks on end.
  std::string alive_for_a_while();
  const tenon::Peer& peer() const noexcept { return peer_; }

 private:
  const tenon::Domain& domain_;
  tenon::Token token_;
  tenon::Roster roster_;
  tenon::Peer peer_;
};

/// The same, three times: what is seen by name of one that has left is that it is absent.
std::string agreed(tenon::Standing roster, tenon::Standing peer, tenon::Standing name);

}  // namespace life_table
