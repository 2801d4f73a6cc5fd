#pragma once
/// In which orders the processes of a domain take their locks: as a graph in shared memory, without a circle.
///
/// 1. Roles. Any thread of any process that may write the domain adds locks, orders and holds, at any time; all read.
/// 2. Layout. lock_order_layout.hpp. Nothing is taken out but holds, so what is read is there for good.
/// 3. Invariants. I1: a key stands in its table once. I2: an order is accepted only by who, after all could see it as
///    proposed, looked for a way back and found none. I3: so accepted orders never form a circle: of all in it the one
///    that was proposed last was looked at when the others could be seen. I4: a hold is changed by the process whose
///    token it bears, or freed by anybody once that one is dead.
/// 4. Edges. G1  exchange of a key from 0 (add) → load of it (find): the key alone, which publishes nothing.
///    G2  store-release of `written` (add) → load-acquire of it (describe): what is written beside the key.
///    G3  exchange of an order's word (propose, accept, refuse) → load of it (search), all of them sequentially
///    consistent: of two who propose what together is a circle, at least one sees the other's proposal. Were they not,
///    each could look before the other's store is seen, as in Dekker's algorithm, and both would be accepted.
///    G4  store-release of a hold's `what` (hold) → load-acquire of it (looking): the token beside it.
///    G5  exchange of a generation (made anew) → load of it (search), sequentially consistent.
/// 5. Progress. Lock-free: who is stopped at any instruction is in nobody's way. An order that was accepted before is
///    looked at once; a new one is searched for in passes over all orders.
/// 6. If a process dies here. With a key and nothing written: the lock is there, and people are shown its key. With an
///    order proposed: it counts as long as nobody wants the same; who does looks for itself. It was wanted, so whatever
///    it stands against is told truly. With a hold: it is shown as the dead one's, until somebody needs the slot.
/// 7. Use instead. Within one process and while it runs: ThreadSanitizer.
#include <tenon/os/token.hpp>
#include <tenon/sync/lock_identity.hpp>
#include <tenon/sync/lock_order_mapping.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tenon {

/// A lock's number in the graph, and how often what lies there had been made anew.
struct LockNode {
  std::uint32_t number;
  std::uint16_t generation;
  friend bool operator==(const LockNode&, const LockNode&) = default;
};

/// Who takes a lock while it holds another, and where it does.
struct OrderStory {
  Token token;
  std::uint32_t pid;
  std::uint32_t thread;
  std::uint32_t held_at;
  std::uint32_t wanted_at;
  std::string name;  ///< of the process
};

class LockGraph {
 public:
  explicit LockGraph(LockOrderMapping mapping) noexcept : mapping_(std::move(mapping)) {}

  bool was_removed() const noexcept { return mapping_.was_removed(); }

  /// Finds it, or adds it. Failures: limit_reached.
  Result<LockNode> lock(const LockIdentity& identity) const;
  std::optional<LockNode> find(std::uint64_t key) const noexcept;
  /// What lies there is another lock from now on, and no order of the old one's counts.
  void made_anew(std::uint64_t key) const noexcept;
  /// Finds it, or adds it. Failures: limit_reached.
  Result<std::uint32_t> place(LockPlace place) const;

  /// Whether `wanted` may be taken while `held` is held; if so, it is known from now on. Else the orders that lead from
  /// `wanted` back to `held`, by their numbers. Failures: limit_reached.
  Result<std::vector<std::uint32_t>> order(LockNode held, LockNode wanted, const OrderStory& story) const;

  /// "mutex at byte 0 of /dev/shm/bank"
  std::string name_of_lock(std::uint32_t number) const;
  /// "bank.cpp:17"
  std::string place_text(std::uint32_t number) const;
  /// Which locks an order is between.
  OrderWord order_word(std::uint32_t number) const noexcept;
  /// Nothing if whoever took them so was killed while it was written down.
  std::optional<OrderStory> story(std::uint32_t number) const;

  /// A free slot for a hold, which is `owner`'s from now on. Outcomes: would_block (all are taken).
  Result<std::uint32_t> claim_hold(Token owner) const;
  void hold(std::uint32_t slot, std::uint64_t what) const noexcept;
  void give_back(std::uint32_t slot, Token owner) const noexcept;
  /// What the slot says; 0 if nothing is held, or the slot is not `owner`'s.
  std::uint64_t held_in(std::uint32_t slot, Token owner) const noexcept;
  /// Ends one hold of that lock by any thread of `owner`.
  void release_any(Token owner, std::uint32_t lock) const noexcept;
  /// The owners of all slots, each once.
  std::vector<Token> hold_owners() const;
  void give_back_all_of(Token owner) const noexcept;

 private:
  bool counts(std::uint64_t word) const noexcept;
  std::vector<std::uint32_t> way(std::uint32_t from, std::uint32_t to) const;
  LockOrderFile& file() const noexcept { return mapping_.content(); }

  LockOrderMapping mapping_;
};

}  // namespace tenon
