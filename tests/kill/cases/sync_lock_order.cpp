// Two locks are met and taken in one order, which is added to the graph of all orders. Whoever goes on finds either
// that order or none, and of the two that can be between two locks exactly one is ever let happen.
#include "../cases.hpp"

#include <kit/unique.hpp>
#include <tenon/sync/lock_graph.hpp>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

namespace kill_cases {

namespace {

using tenon::LockGraph;
using tenon::LockNode;
using tenon::LockOrderMapping;
using tenon::OrderRecord;
using tenon::Token;

void must(bool holds, const char* sentence) {
  if (!holds) {
    throw std::runtime_error(sentence);
  }
}

// The same in each trial, as what is hashed from it.
const std::string& graph_place() {
  static const std::string path = "/dev/shm/" + kit::unique_name("tenon-kill");
  return path;
}

tenon::LockIdentity lock_number(std::uint64_t number) {
  return {.kind = tenon::LockKind::mutex, .device = 1, .inode = 2, .offset = number, .name = "a lock"};
}

class AddOrder : public kit::KillTrial {
 public:
  ~AddOrder() override {
    std::error_code dropped;
    std::filesystem::remove_all(graph_place(), dropped);
  }

  void operation() override {
    const std::uint32_t slot = graph_.claim_hold(victim).or_throw();
    (void)allows(1, 2);
    graph_.hold(slot, tenon::HoldWord{.thread = 1, .lock = 1, .place = 1}.word());
    graph_.give_back(slot, victim);
  }
  void survive() override {
    const bool other_way = allows(2, 1);
    const bool this_way = allows(1, 2);
    must(!other_way || !this_way, "two orders that deadlock were both let happen");
    must(other_way || this_way, "two locks may be taken in no order");
    must(allows(2, 1) == other_way, "an order that was let happen is refused later, or the reverse");
    graph_.give_back_all_of(victim);
    must(std::ranges::count(graph_.hold_owners(), victim) == 0, "what the dead one holds cannot be freed");
  }
  std::uint64_t state() override {
    std::uint64_t words = 0;
    for (const OrderRecord& record : file_.content().orders) {
      words += record.word * 31 + record.written;
    }
    return words;
  }

 private:
  static constexpr Token victim = Token::from(7);

  bool allows(std::uint64_t first, std::uint64_t second) {
    const LockNode held = graph_.lock(lock_number(first)).or_throw();
    const LockNode wanted = graph_.lock(lock_number(second)).or_throw();
    const tenon::OrderStory story{.token = victim,
                                  .pid = 1,
                                  .thread = 1,
                                  .held_at = graph_.place(tenon::LockPlace("a.cpp", 1)).or_throw(),
                                  .wanted_at = graph_.place(tenon::LockPlace("a.cpp", 2)).or_throw(),
                                  .name = "a"};
    return graph_.order(held, wanted, story).or_throw().empty();
  }

  tenon::Domain domain_ = tenon::Domain::open(graph_place()).or_throw();
  LockOrderMapping file_ = LockOrderMapping::open_or_create(domain_).or_throw();
  LockGraph graph_{LockOrderMapping::open_or_create(domain_).or_throw()};
};

}  // namespace

kit::KillCase sync_lock_order() {
  return {.name = "sync: lock order, add", .make = [] { return std::make_unique<AddOrder>(); }};
}

}  // namespace kill_cases
