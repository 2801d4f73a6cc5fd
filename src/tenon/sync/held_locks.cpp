#include <tenon/sync/held_locks.hpp>

#include <algorithm>
#include <unistd.h>

namespace tenon {

namespace {

// After its destructor has run a thread may still lock, in those of other objects.
constinit thread_local bool has_ended = false;

}  // namespace

HeldLocks* HeldLocks::of_this_thread() {
  static thread_local HeldLocks own;
  return has_ended ? nullptr : &own;
}

HeldLocks::~HeldLocks() {
  has_ended = true;
  if (session_ == nullptr || !session_->is_of_this_process()) {
    return;
  }
  for (const Held& held : held_) {
    session_->graph().give_back(held.slot, session_->token());
  }
  for (const std::uint32_t slot : spares_) {
    session_->graph().give_back(slot, session_->token());
  }
}

Result<void> HeldLocks::bring_to(LockSession& session) {
  if (session_ == &session) {
    forget_what_others_ended();
    return {};
  }
  const bool is_child = session_ != nullptr && !session_->is_of_this_process();
  const std::vector<Held> before = is_child ? std::vector<Held>() : std::move(held_);
  session_ = &session;
  held_.clear();
  pending_.clear();
  spares_.clear();
  for (const Held& held : before) {
    auto node = session.graph().lock(held.identity);
    auto place = session.graph().place(held.at);
    auto slot = session.claim_hold();
    if (!node || !place || !slot) {
      return fail(std::move(!node ? node.error() : !place ? place.error() : slot.error()));
    }
    enter({.lock = held.lock, .identity = held.identity, .node = *node, .at = held.at, .place = *place}, *slot);
  }
  return {};
}

void HeldLocks::forget_what_others_ended() {
  std::erase_if(held_, [this](const Held& held) {
    if (session_->graph().held_in(held.slot, session_->token()) != 0) {
      return false;
    }
    session_->graph().give_back(held.slot, session_->token());
    return true;
  });
}

Result<void> HeldLocks::about_to_take(Pending lock) {
  if (spares_.size() <= pending_.size()) {
    auto slot = session_->claim_hold();
    if (!slot) {
      return fail(std::move(slot.error()));
    }
    spares_.push_back(*slot);
  }
  pending_.push_back(std::move(lock));
  return {};
}

void HeldLocks::enter(Pending lock, std::uint32_t slot) {
  const HoldWord word{.thread = static_cast<std::uint32_t>(::gettid()), .lock = lock.node.number, .place = lock.place};
  session_->graph().hold(slot, word.word());
  held_.push_back({.lock = lock.lock,
                   .identity = std::move(lock.identity),
                   .node = lock.node,
                   .at = lock.at,
                   .place = lock.place,
                   .slot = slot});
}

void HeldLocks::taken(const LockRef& lock) {
  const auto found = std::ranges::find(pending_, lock, &Pending::lock);
  if (found == pending_.end()) {
    return;  // a semaphore that is no lock
  }
  Pending pending = std::move(*found);
  pending_.erase(found);
  const std::uint32_t slot = spares_.back();
  spares_.pop_back();
  enter(std::move(pending), slot);
}

bool HeldLocks::released(const LockRef& lock) {
  const auto found = std::find_if(held_.rbegin(), held_.rend(), [&](const Held& held) { return held.lock == lock; });
  if (found == held_.rend()) {
    return false;
  }
  session_->graph().give_back(found->slot, session_->token());
  held_.erase(std::next(found).base());
  return true;
}

}  // namespace tenon
