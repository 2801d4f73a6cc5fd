#include "observer.hpp"

#include <tenon/os/clock.hpp>

namespace life_table {

using namespace std::chrono_literals;
using tenon::Standing;

Observer::Observer(const ScratchDomain& domain, tenon::Token token, Ears ears)
    : domain_(*domain),
      token_(token),
      roster_(tenon::Roster::open(domain_).or_throw()),
      peer_(tenon::Peer::open(domain_, token).or_throw()) {
  if (ears == Ears::and_eyes) {
    roster_.watch(token).or_throw();
  }
}

std::string Observer::end(std::int64_t since, std::vector<double>& notice) {
  const auto deadline = tenon::after(10s);
  while (true) {
    const auto changes = roster_.wait(deadline);
    if (!changes) {
      return "roster: " + changes.error().message();
    }
    for (const tenon::Change& change : *changes) {
      if (change.who.token == token_) {
        notice.push_back(static_cast<double>(tenon::monotonic_now() - since) / 1e6);
        return agreed(change.now, peer_.wait_for_death(deadline).or_throw(), standing_of(domain_, token_).or_throw());
      }
    }
  }
}

std::string Observer::alive_for_a_while() {
  const auto changes = roster_.wait(tenon::after(300ms));
  if (!changes.failed_with(tenon::Errc::timed_out)) {
    return "the roster tells a change";
  }
  return agreed(Standing::alive, peer_.standing().or_throw(), standing_of(domain_, token_).or_throw());
}

std::string agreed(Standing roster, Standing peer, Standing name) {
  const Standing by_name = peer == Standing::left ? Standing::absent : peer;
  if (roster == peer && name == by_name) {
    return std::string(name_of(peer));
  }
  return "roster " + std::string(name_of(roster)) + ", peer " + std::string(name_of(peer)) + ", name " +
         std::string(name_of(name));
}

}  // namespace life_table
