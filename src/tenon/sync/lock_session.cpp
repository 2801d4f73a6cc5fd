#include <tenon/sync/lock_session.hpp>

#include <tenon/os/life_peer.hpp>
#include <tenon/sync/locker.hpp>

#include <atomic>
#include <memory>
#include <unistd.h>

namespace tenon {

namespace {

// S1: store-release of a session (open) → load-acquire of it (current): publishes what it is made of.
constinit std::atomic<LockSession*> last = nullptr;
constinit std::atomic<bool> is_ending = false;

}  // namespace

// Leaves the domain when the process exits; threads that still lock find that nothing is recorded any more.
struct LockSession::Ending {
  ~Ending() {
    is_ending.store(true, std::memory_order_release);                   // S1
    LockSession* const session = last.load(std::memory_order_acquire);  // S1
    if (session != nullptr && session->is_of_this_process()) {
      session->life_.reset();
    }
  }
};

LockSession::LockSession(Domain domain, Life life, LockGraph graph, LockSession* before) noexcept
    : domain_(std::move(domain)),
      life_(std::move(life)),
      graph_(std::move(graph)),
      token_(life_->token()),
      process_(::getpid()),
      forks_(Locker::forks()),
      before_(before) {}

bool LockSession::is_of_this_process() const noexcept { return process_ == ::getpid() && forks_ == Locker::forks(); }

Result<LockSession*> LockSession::open(LockSession* before) {
  auto domain = Domain::of_environment();
  if (!domain) {
    return fail(std::move(domain.error()));
  }
  auto mapping = LockOrderMapping::open_or_create(*domain);
  if (!mapping) {
    return fail(std::move(mapping.error()));
  }
  auto life = Life::join(*domain);
  if (!life) {
    return fail(std::move(life.error()));
  }
  std::unique_ptr<LockSession> made(
      new LockSession(std::move(*domain), std::move(*life), LockGraph(std::move(*mapping)), before));
  LockSession* expected = before;
  if (last.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel)) {  // S1
    if (before != nullptr && before->is_of_this_process()) {
      before->life_.reset();
    }
    return made.release();
  }
  return expected;  // another thread was first
}

Result<LockSession*> LockSession::current() {
  static const Ending ending;
  if (is_ending.load(std::memory_order_acquire)) {  // S1
    return nullptr;
  }
  LockSession* const session = last.load(std::memory_order_acquire);  // S1
  if (session != nullptr && session->is_of_this_process() && !session->graph_.was_removed()) [[likely]] {
    return session;
  }
  return open(session);
}

// Who cannot be asked is alive.
void LockSession::free_what_the_dead_hold() const {
  for (const Token owner : graph_.hold_owners()) {
    const auto standing = owner == token_ ? Result<Standing>(Standing::alive) : standing_of(domain_, owner);
    if (standing && *standing != Standing::alive) {
      graph_.give_back_all_of(owner);
    }
  }
}

Result<std::uint32_t> LockSession::claim_hold() const {
  auto slot = graph_.claim_hold(token_);
  if (!slot) {
    free_what_the_dead_hold();
    slot = graph_.claim_hold(token_);
  }
  if (slot) {
    return slot;
  }
  return fail(Error(Errc::limit_reached, "lock")
                  .because("what a checked build cannot record it does not let happen")
                  .with({.name = "locks held at once in the domain",
                         .value = most_holds,
                         .wanted = std::uint64_t{most_holds} + 1,
                         .remedy = "hold fewer, or run fewer at once in one TENON_DOMAIN"}));
}

}  // namespace tenon
