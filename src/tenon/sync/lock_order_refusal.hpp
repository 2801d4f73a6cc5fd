#pragma once
/// The errors by which an acquisition is refused: who holds what, taken where, and who did it the other way round.
#include <tenon/sync/lock_graph.hpp>

#include <span>

namespace tenon {

/// `story` is of the acquisition that is refused.
Error held_already(const LockGraph& graph, LockNode lock, const OrderStory& story);
/// `back` are the orders that lead from the wanted lock back to the held one.
Error would_deadlock(const LockGraph& graph, LockNode held, LockNode wanted, const OrderStory& story,
                     std::span<const std::uint32_t> back);

}  // namespace tenon
