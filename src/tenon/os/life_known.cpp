#include <tenon/os/life_known.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace tenon {

namespace {

// How many members are looked at in one turn beyond the watched: looking at hundreds would take more than 0.1% of a
// core.
constexpr std::size_t looked_at_in_turn = 4;

// Its name is gone. Who still holds the lock is on its way out if it says so, else its file was removed from outside.
Standing nameless_standing(const std::optional<Peer>& peer) {
  const auto now = peer ? peer->standing() : Result<Standing>(Standing::absent);
  if (now && *now == Standing::alive) {
    return peer->says_it_left() ? Standing::left : Standing::absent;
  }
  return now.value_or(Standing::absent);
}

}  // namespace

Result<void> LifeKnown::do_without_events() {
  return LifeEnds::create().transform([&](LifeEnds ends) { ends_ = std::move(ends); });
}

Result<void> LifeKnown::watch(Token token) {
  const auto place = known_.find(token);
  if (place == known_.end()) {
    return fail(Error(Errc::not_found).on(token.hex()));
  }
  Known& known = place->second;
  if (!known.peer) {
    auto peer = Peer::open(directory_.view(), known.name);
    if (!peer) {
      return fail(std::move(peer.error()));
    }
    known.peer = std::move(*peer);
  }
  watched_.insert(token);
  return {};
}

std::vector<Member> LifeKnown::members() const {
  std::vector<Member> living;
  living.reserve(known_.size());
  for (const auto& [token, known] : known_) {
    living.push_back(known.name.who);
  }
  return living;
}

// Their processes have ended, or so their pidfds say; what counts is the lock.
void LifeKnown::take_ends() {
  for (const Token token : ends_->drain()) {
    if (const auto place = known_.find(token); place != known_.end()) {
      look_at(place, Standing::alive);
    }
  }
}

void LifeKnown::take_event(const LifeEvent& event) {
  using What = LifeEvent::What;
  const auto place = known_.find(event.name.who.token);
  if (event.what == What::joined) {
    enter({.name = event.name});
  } else if (place == known_.end()) {
    return;
  } else if (event.what == What::closed) {
    // Somebody else may have opened it for writing. If its name is gone, a cleaner has found it dead.
    look_at(place, Standing::died);
  } else {
    part(place, event.what == What::left ? Standing::left : Standing::absent);
  }
}

void LifeKnown::enter(Known known) {
  const Member who = known.name.who;
  if (known_.emplace(who.token, std::move(known)).second) {
    found_.push_back({.who = who, .now = Standing::alive});
  }
}

Result<void> LifeKnown::enter_if_alive(const LifeName& name) {
  auto peer = Peer::open(directory_.view(), name);
  const auto now = peer ? peer->standing() : Result<Standing>(fail(Error(peer.error())));
  // Gone meanwhile, or another user's in a domain that is not shared: not a member for us.
  const bool is_none = now ? *now != Standing::alive
                           : now.failed_with(Errc::not_found) || now.failed_with(Errc::permission_denied) ||
                                 now.failed_with(Errc::wrong_kind);
  if (is_none) {
    return {};
  }
  if (!now) {
    return fail(Error(now.error()));
  }
  if (ends_) {
    ends_->add(name.who, *peer);
    enter({.name = name, .peer = std::move(*peer)});
  } else {
    enter({.name = name});
  }
  return {};
}

LifeKnown::Place LifeKnown::part(Place place, Standing how) {
  found_.push_back({.who = place->second.name.who, .now = how});
  if (ends_) {
    ends_->remove(place->first);
  }
  watched_.erase(place->first);
  doubted_.erase(place->first);
  return known_.erase(place);
}

Result<void> LifeKnown::look_at_directory() {
  auto names = LifeName::all_in(directory_.view());
  if (!names) {
    return fail(std::move(names.error()));
  }
  std::erase_if(*names, [](const LifeName& name) { return name.stage != LifeStage::member; });
  std::set<Token> seen;
  std::ranges::for_each(*names, [&](const LifeName& name) { seen.insert(name.who.token); });
  // Who has gone comes first, for that gives descriptors back.
  for (auto place = known_.begin(); place != known_.end();) {
    place = seen.contains(place->first) ? look_at(place, Standing::alive)
                                        : part(place, nameless_standing(place->second.peer));
  }
  for (const LifeName& name : *names) {
    auto met = known_.contains(name.who.token) ? Result<void>() : enter_if_alive(name);
    if (!met) {
      return met;
    }
  }
  return {};
}

void LifeKnown::look_at_members() {
  for (const std::set<Token>* some : {&watched_, &doubted_}) {
    for (auto next = some->begin(); next != some->end();) {
      look_at(known_.find(*next++), Standing::alive);  // who parts is in neither any more
    }
  }
  const std::size_t turn = ends_ ? std::min(looked_at_in_turn, known_.size()) : 0;
  for (std::size_t i = 0; i < turn && !known_.empty(); ++i) {
    auto place = known_.upper_bound(looked_at_);
    place = place == known_.end() ? known_.begin() : place;
    looked_at_ = place->first;
    look_at(place, Standing::alive);
  }
}

// Parts it unless it is alive, and returns the next place. Who cannot be asked is not dead, and is asked again. Who has
// lost its name is what the caller knows of it: "alive" if the event that will tell how is still to come.
LifeKnown::Place LifeKnown::look_at(Place place, Standing if_nameless) {
  const auto& [name, peer] = place->second;
  auto now = peer ? peer->standing() : standing_of(directory_.view(), name);
  if (!now) {
    doubted_.insert(place->first);
    return std::next(place);
  }
  doubted_.erase(place->first);
  const Standing standing = *now == Standing::absent ? if_nameless : *now;
  return standing == Standing::alive ? std::next(place) : part(place, standing);
}

}  // namespace tenon
