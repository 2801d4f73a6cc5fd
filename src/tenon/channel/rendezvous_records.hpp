#pragma once
/// Which records of a rendezvous file still count: the lives behind their tokens, asked of the domain.
#include <tenon/channel/rendezvous.hpp>
#include <tenon/channel/rendezvous_file.hpp>

#include <vector>

namespace tenon {

/// What its records say and how it stands with those who wrote them, by slot; free slots are left out.
std::vector<Participant> participants_in(const Domain& domain, const RendezvousFile& file);

struct Cleared {
  bool anybody;  ///< somebody living is entered
};

/// Frees the records that nobody needs any more: those of the dead and of senders that have left, except that senders'
/// records stay while a receiver lives, which may still have to tell what became of them.
Result<Cleared> clear_unneeded(const Domain& domain, RendezvousFile& file);

}  // namespace tenon
