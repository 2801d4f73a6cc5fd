#include <tenon/sync/lock_graph.hpp>

#include <tenon/os/clock.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>

namespace tenon {

namespace {

using Word = std::atomic_ref<std::uint64_t>;
using Half = std::atomic_ref<std::uint32_t>;

template <std::size_t Size>
void put_end_of(std::string_view text, std::array<char, Size>& into) noexcept {
  text.substr(text.size() - std::min(text.size(), Size - 1)).copy(into.data(), Size - 1);
}

template <std::size_t Size>
std::string text_in(const std::array<char, Size>& from) {
  return {from.data(), ::strnlen(from.data(), Size)};
}

Error full(const char* table, std::uint64_t most) {
  return Error(Errc::limit_reached, "lock")
      .because("what a checked build cannot record it does not let happen")
      .with({.name = std::string(table) + " in the domain's lock-order",
             .value = most,
             .wanted = most + 1,
             .remedy = "begin anew: tenon locks --forget"});
}

template <class Record>
struct Found {
  Record* record;
  std::uint32_t number;
  bool is_new;
};

// From the key on, the first slot that has it, or the first free one, which gets it.
template <class Record, std::size_t Size>
std::optional<Found<Record>> find_or_add(std::array<Record, Size>& table, std::uint64_t key) noexcept {
  for (std::uint32_t i = 0; i < Size; ++i) {
    const auto number = static_cast<std::uint32_t>((key + i) % Size);
    std::uint64_t there = 0;
    const bool added = Word(table[number].key).compare_exchange_strong(there, key, std::memory_order_acq_rel);  // G1
    if (added || there == key) {
      return Found<Record>{.record = &table[number], .number = number, .is_new = added};
    }
  }
  return std::nullopt;
}

std::uint64_t hash_of(LockPlace place) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char letter : std::string_view(place.file)) {
    hash = (hash ^ static_cast<std::uint8_t>(letter)) * 0x100000001b3;
  }
  return (hash ^ place.line) * 0x100000001b3 | 1;
}

std::uint16_t generation_of(LockRecord& record) noexcept {
  return static_cast<std::uint16_t>(Half(record.generation).load(std::memory_order_seq_cst));  // G5
}

}  // namespace

Result<LockNode> LockGraph::lock(const LockIdentity& identity) const {
  const auto found = find_or_add(file().locks, identity.key());
  if (!found) {
    return fail(full("locks", most_locks));
  }
  LockRecord& record = *found->record;
  if (found->is_new) {
    record.kind = static_cast<std::uint32_t>(identity.kind);
    record.device = identity.device;
    record.inode = identity.inode;
    record.offset = identity.offset;
    put_end_of(identity.name, record.name);
    Half(record.written).store(lock_order_written, std::memory_order_release);  // G2
  }
  return LockNode{.number = found->number, .generation = generation_of(record)};
}

std::optional<LockNode> LockGraph::find(std::uint64_t key) const noexcept {
  for (std::uint32_t i = 0; i < most_locks; ++i) {
    const auto number = static_cast<std::uint32_t>((key + i) % most_locks);
    LockRecord& record = file().locks[number];
    const std::uint64_t there = Word(record.key).load(std::memory_order_acquire);  // G1
    if (there == key) {
      return LockNode{.number = number, .generation = generation_of(record)};
    }
    if (there == 0) {
      break;
    }
  }
  return std::nullopt;
}

void LockGraph::made_anew(std::uint64_t key) const noexcept {
  if (const auto old = find(key)) {
    Half(file().locks[old->number].generation).fetch_add(1, std::memory_order_seq_cst);  // G5
  }
}

Result<std::uint32_t> LockGraph::place(LockPlace place) const {
  const auto found = find_or_add(file().places, hash_of(place));
  if (!found) {
    return fail(full("places", most_places));
  }
  PlaceRecord& record = *found->record;
  if (found->is_new) {
    record.line = place.line;
    put_end_of(place.file, record.file);
    Half(record.written).store(lock_order_written, std::memory_order_release);  // G2
  }
  return found->number;
}

bool LockGraph::counts(std::uint64_t word) const noexcept {
  const OrderWord order = OrderWord::of(word);
  const OrderStanding standing = OrderWord::standing(word);
  return (standing == OrderStanding::proposed || standing == OrderStanding::accepted) &&
         generation_of(file().locks[order.held]) == order.held_generation &&
         generation_of(file().locks[order.wanted]) == order.wanted_generation;
}

// Which orders lead from one lock to another, in passes over the whole table until nothing new is reached.
std::vector<std::uint32_t> LockGraph::way(std::uint32_t from, std::uint32_t to) const {
  constexpr std::uint32_t not_reached = most_orders;
  std::vector<std::uint32_t> by(most_locks, not_reached);
  bool found_more = true;
  while (found_more && by[to] == not_reached) {
    found_more = false;
    for (std::uint32_t number = 0; number < most_orders; ++number) {
      const std::uint64_t word = Word(file().orders[number].word).load(std::memory_order_seq_cst);  // G3
      const OrderWord order = OrderWord::of(word);
      const bool leads_on = word != 0 && order.wanted != from && by[order.wanted] == not_reached &&
                            (order.held == from || by[order.held] != not_reached);
      if (leads_on && counts(word)) {
        by[order.wanted] = number;
        found_more = true;
      }
    }
  }
  std::vector<std::uint32_t> orders;
  // Bounded, for what stands in the table may have changed since: the numbers are those that were seen.
  for (std::uint32_t at = to; at != from && by[at] != not_reached && orders.size() < most_locks;) {
    orders.push_back(by[at]);
    at = order_word(by[at]).held;
  }
  std::ranges::reverse(orders);
  return orders;
}

Result<std::vector<std::uint32_t>> LockGraph::order(LockNode held, LockNode wanted, const OrderStory& story) const {
  const OrderWord order{.held = held.number,
                        .wanted = wanted.number,
                        .held_generation = held.generation,
                        .wanted_generation = wanted.generation};
  const std::uint64_t first = OrderWord::with(order.key(), OrderStanding::proposed);
  const std::uint64_t start = (order.key() * 0x9e3779b97f4a7c15) >> 40;
  for (std::uint32_t i = 0; i < most_orders; ++i) {
    OrderRecord& record = file().orders[(start + i) % most_orders];
    std::uint64_t word = 0;
    if (Word(record.word).compare_exchange_strong(word, first, std::memory_order_seq_cst)) {  // G3
      record.token = story.token.value();
      record.when = realtime_now();
      record.pid = story.pid;
      record.thread = story.thread;
      record.held_at = story.held_at;
      record.wanted_at = story.wanted_at;
      put_end_of(story.name, record.name);
      Word(record.written).store(order.key(), std::memory_order_release);  // G2
      word = first;
    } else if ((word & OrderWord::key_mask) != order.key()) {
      continue;
    }
    // What was accepted stays so. What was proposed, perhaps by one who is dead, or refused, is looked at once more,
    // and whoever is the first to change the word has decided; who is not looks again.
    while (OrderWord::standing(word) != OrderStanding::accepted) {
      if (OrderWord::standing(word) != OrderStanding::proposed) {
        const std::uint64_t again = OrderWord::proposed_again(word);
        if (!Word(record.word).compare_exchange_strong(word, again, std::memory_order_seq_cst)) {  // G3
          continue;
        }
        word = again;
      }
      std::vector<std::uint32_t> back = way(wanted.number, held.number);
      const OrderStanding verdict = back.empty() ? OrderStanding::accepted : OrderStanding::refused;
      const std::uint64_t decided = OrderWord::with(word, verdict);
      if (Word(record.word).compare_exchange_strong(word, decided, std::memory_order_seq_cst)) {  // G3
        return back;
      }
    }
    return std::vector<std::uint32_t>();
  }
  return fail(full("orders", most_orders));
}

OrderWord LockGraph::order_word(std::uint32_t number) const noexcept {
  return OrderWord::of(Word(file().orders[number].word).load(std::memory_order_seq_cst));  // G3
}

std::string LockGraph::name_of_lock(std::uint32_t number) const {
  LockRecord& record = file().locks[number];
  if (Half(record.written).load(std::memory_order_acquire) != lock_order_written) {        // G2
    return "lock " + Token::from(Word(record.key).load(std::memory_order_acquire)).hex();  // G1
  }
  return text_in(record.name);
}

std::string LockGraph::place_text(std::uint32_t number) const {
  PlaceRecord& record = file().places[number % most_places];
  if (Half(record.written).load(std::memory_order_acquire) != lock_order_written) {  // G2
    return "an unknown place";
  }
  return text_in(record.file) + ":" + std::to_string(record.line);
}

std::optional<OrderStory> LockGraph::story(std::uint32_t number) const {
  OrderRecord& record = file().orders[number];
  if (Word(record.written).load(std::memory_order_acquire) != order_word(number).key()) {  // G2
    return std::nullopt;
  }
  return OrderStory{.token = Token::from(record.token),
                    .pid = record.pid,
                    .thread = record.thread,
                    .held_at = record.held_at,
                    .wanted_at = record.wanted_at,
                    .name = text_in(record.name)};
}

Result<std::uint32_t> LockGraph::claim_hold(Token owner) const {
  for (std::uint32_t i = 0; i < most_holds; ++i) {
    const auto slot = static_cast<std::uint32_t>((owner.value() + i) % most_holds);
    std::uint64_t free = 0;
    HoldRecord& record = file().holds[slot];
    if (Word(record.token).compare_exchange_strong(free, owner.value(), std::memory_order_acq_rel)) {  // G4
      return slot;
    }
  }
  return fail(Errc::would_block, "lock");
}

void LockGraph::hold(std::uint32_t slot, std::uint64_t what) const noexcept {
  Word(file().holds[slot].what).store(what, std::memory_order_release);  // G4
}

// What was read before the token is exchanged for nothing: several may free a dead one's slot at once, and the next
// owner may have it by then.
void LockGraph::give_back(std::uint32_t slot, Token owner) const noexcept {
  HoldRecord& record = file().holds[slot];
  std::uint64_t what = Word(record.what).load(std::memory_order_acquire);  // G4
  std::uint64_t own = owner.value();
  if (Word(record.token).load(std::memory_order_acquire) == own) {                  // G4
    Word(record.what).compare_exchange_strong(what, 0, std::memory_order_acq_rel);  // G4
    Word(record.token).compare_exchange_strong(own, 0, std::memory_order_acq_rel);  // G4
  }
}

std::uint64_t LockGraph::held_in(std::uint32_t slot, Token owner) const noexcept {
  HoldRecord& record = file().holds[slot];
  const std::uint64_t what = Word(record.what).load(std::memory_order_acquire);           // G4
  return Word(record.token).load(std::memory_order_acquire) == owner.value() ? what : 0;  // G4
}

void LockGraph::release_any(Token owner, std::uint32_t lock) const noexcept {
  for (std::uint32_t slot = 0; slot < most_holds; ++slot) {
    std::uint64_t what = held_in(slot, owner);
    if (what != 0 && HoldWord::of(what).lock == lock &&
        Word(file().holds[slot].what).compare_exchange_strong(what, 0, std::memory_order_acq_rel)) {  // G4
      return;  // the slot itself stays its thread's, which finds that it says nothing more
    }
  }
}

std::vector<Token> LockGraph::hold_owners() const {
  std::vector<Token> owners;
  for (HoldRecord& record : file().holds) {
    const Token owner = Token::from(Word(record.token).load(std::memory_order_acquire));  // G4
    if (!owner.is_nobody() && std::ranges::find(owners, owner) == owners.end()) {
      owners.push_back(owner);
    }
  }
  return owners;
}

void LockGraph::give_back_all_of(Token owner) const noexcept {
  for (std::uint32_t slot = 0; slot < most_holds; ++slot) {
    give_back(slot, owner);
  }
}

}  // namespace tenon
