#include <tenon/sync/lock_order.hpp>

#include <tenon/sync/held_locks.hpp>
#include <tenon/sync/lock_order_refusal.hpp>

#include <array>
#include <atomic>
#include <sys/prctl.h>
#include <unistd.h>

namespace tenon {

namespace {

/// The calling thread as it stands in this process's session; both null where nothing is recorded any more.
struct Here {
  LockSession* session = nullptr;
  HeldLocks* thread = nullptr;

  static Result<Here> now() {
    auto session = LockSession::current();
    if (!session) {
      return fail(std::move(session.error()));
    }
    HeldLocks* const thread = HeldLocks::of_this_thread();
    if (*session == nullptr || thread == nullptr) {
      return Here{};
    }
    return thread->bring_to(**session).transform([&] { return Here{.session = *session, .thread = thread}; });
  }
};

// The semaphores that are used as locks here, as hashes; the others, which post and wait for quite other reasons, must
// not pay for a look into /proc. From signal handlers too, so nothing here locks or allocates.
class UsedAsLocks {
 public:
  static bool contain(const LockRef& lock) noexcept {
    for (const std::atomic<std::uint64_t>& slot : slots_) {
      const std::uint64_t there = slot.load(std::memory_order_relaxed);  // a number, which publishes nothing
      if (there == hash_of(lock) || there == 0) {
        return there != 0;
      }
    }
    return false;
  }
  static bool add(const LockRef& lock) noexcept {
    for (std::atomic<std::uint64_t>& slot : slots_) {
      std::uint64_t there = 0;
      if (slot.compare_exchange_strong(there, hash_of(lock), std::memory_order_relaxed) ||  // a number, see above
          there == hash_of(lock)) {
        return true;
      }
    }
    return false;
  }
  static constexpr std::size_t most = 1024;

 private:
  // Addresses and a set's numbers differ in their low bits; kinds have the top ones to themselves.
  static std::uint64_t hash_of(const LockRef& lock) noexcept {
    return (std::uint64_t{lock.where} ^ std::uint64_t{lock.number} << 40) | static_cast<std::uint64_t>(lock.kind) << 60;
  }
  static constinit std::array<std::atomic<std::uint64_t>, most> slots_;
};
constinit std::array<std::atomic<std::uint64_t>, UsedAsLocks::most> UsedAsLocks::slots_{};

bool is_recorded(const LockRef& lock) noexcept {
  return lock.kind == LockKind::mutex || lock.kind == LockKind::rw_lock || UsedAsLocks::contain(lock);
}

std::string process_name() {
  std::array<char, 16> name{};
  ::prctl(PR_GET_NAME, name.data());
  return name.data();
}

OrderStory story_of(const Here& here, const HeldLocks::Held& held, const HeldLocks::Pending& wanted) {
  return {.token = here.session->token(),
          .pid = static_cast<std::uint32_t>(::getpid()),
          .thread = static_cast<std::uint32_t>(::gettid()),
          .held_at = held.place,
          .wanted_at = wanted.place,
          .name = process_name()};
}

// What this thread holds already is an order to itself; `again` is let go of before.
Result<void> check(const Here& here, const HeldLocks::Pending& wanted, const LockRef* again) {
  const LockGraph& graph = here.session->graph();
  for (const HeldLocks::Held& held : here.thread->held()) {
    if (again != nullptr && held.lock == *again) {
      continue;
    }
    const OrderStory story = story_of(here, held, wanted);
    if (held.node == wanted.node) {
      return fail(held_already(graph, held.node, story));
    }
    auto back = graph.order(held.node, wanted.node, story);
    if (!back) {
      return fail(std::move(back.error()));
    }
    if (!back->empty()) {
      return fail(would_deadlock(graph, held.node, wanted.node, story, *back));
    }
  }
  return {};
}

enum class Way : std::uint8_t { waits, waits_again, tries };

Result<void> prepare(std::span<const LockRef> locks, LockPlace at, Way way) {
  auto here = Here::now();
  if (!here || here->thread == nullptr) {
    return here ? Result<void>() : fail(std::move(here.error()));
  }
  here->thread->begin();
  for (const LockRef& lock : locks) {
    if (!is_recorded(lock)) {
      continue;
    }
    const LockGraph& graph = here->session->graph();
    auto identity = LockIdentity::of(lock, here->session->token());
    auto node = identity ? graph.lock(*identity) : fail(std::move(identity.error()));
    auto place = node ? graph.place(at) : fail(std::move(node.error()));
    if (!place) {
      return fail(std::move(place.error()));
    }
    HeldLocks::Pending pending{
        .lock = lock, .identity = std::move(*identity), .node = *node, .at = at, .place = *place};
    if (way != Way::tries) {
      if (auto in_order = check(*here, pending, way == Way::waits_again ? &lock : nullptr); !in_order) {
        return in_order;
      }
    }
    if (auto noted = here->thread->about_to_take(std::move(pending)); !noted) {
      return noted;
    }
  }
  return {};
}

}  // namespace

const LockHooks* LockOrder::hooks() noexcept {
  static constexpr LockHooks own = {.wanted = wanted, .tried = tried, .taken = taken, .released = released};
  LockHooks::install(own);
  return &own;
}

Result<void> LockOrder::wanted(std::span<const LockRef> locks, LockPlace at) { return prepare(locks, at, Way::waits); }

Result<void> LockOrder::wanted_again(const LockRef& lock, LockPlace at) {
  return prepare(std::span(&lock, 1), at, Way::waits_again);
}

Result<void> LockOrder::tried(std::span<const LockRef> locks, LockPlace at) { return prepare(locks, at, Way::tries); }

void LockOrder::taken(const LockRef& lock) {
  if (HeldLocks* const thread = HeldLocks::of_this_thread()) {
    thread->taken(lock);
  }
}

void LockOrder::released(const LockRef& lock) {
  if (!is_recorded(lock)) {
    return;
  }
  const auto here = Here::now();
  if (!here || here->thread == nullptr || here->thread->released(lock)) {
    return;
  }
  // By another thread than the one that took it.
  if (const auto identity = LockIdentity::of(lock, here->session->token())) {
    if (const auto node = here->session->graph().find(identity->key())) {
      here->session->graph().release_any(here->session->token(), node->number);
    }
  }
}

void LockOrder::made(const LockRef& lock) {
  const auto session = LockSession::current();
  if (!session || *session == nullptr) {
    return;  // its first acquisition will tell
  }
  if (const auto identity = LockIdentity::of(lock, (*session)->token())) {
    (*session)->graph().made_anew(identity->key());
  }
}

Result<void> LockOrder::use_as_lock(const LockRef& lock, std::string_view name) {
  hooks();
  auto session = LockSession::current();
  if (!session || *session == nullptr) {
    return session ? Result<void>() : fail(std::move(session.error()));
  }
  auto identity = LockIdentity::of(lock, (*session)->token());
  if (!identity) {
    return fail(std::move(identity.error()));
  }
  if (!name.empty()) {
    identity->name = name;
  }
  if (auto known = (*session)->graph().lock(*identity); !known) {
    return fail(std::move(known.error()));
  }
  if (!UsedAsLocks::add(lock)) {
    return fail(Error(Errc::limit_reached, "used_as_lock")
                    .with({.name = "semaphores used as locks by one process",
                           .value = UsedAsLocks::most,
                           .wanted = UsedAsLocks::most + 1,
                           .remedy = "say it of fewer"}));
  }
  return {};
}

}  // namespace tenon
