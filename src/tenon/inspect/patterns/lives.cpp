#include <tenon/inspect/patterns/lives.hpp>

#include <tenon/os/life_peer.hpp>

#include <algorithm>

namespace tenon::inspect {

bool Lives::is_gone(Token life) {
  const auto known = std::ranges::find(asked_, life, &std::pair<Token, bool>::first);
  if (known != asked_.end()) {
    return known->second;
  }
  return asked_.emplace_back(life, ask(life)).second;
}

std::optional<Member> Lives::member_of(Token life) {
  static_cast<void>(is_gone(life));  // it is listed then, if it is there
  const LifeName* const name = listed(life);
  return name != nullptr ? std::optional(name->who) : std::nullopt;
}

std::optional<pid_t> Lives::pid_of(Token life) {
  return member_of(life).transform([](const Member& who) { return who.pid; });
}

// One that joins has its token in another name before, under which it could not be asked any more.
const LifeName* Lives::listed(Token life) const noexcept {
  const auto found = std::ranges::find_if(
      names_, [&](const LifeName& one) { return one.who.token == life && one.stage == LifeStage::member; });
  return found == names_.end() ? nullptr : &*found;
}

// A token that nobody has costs a listing, once: after that it is known.
bool Lives::ask(Token life) {
  const LifeName* name = listed(life);
  if (name == nullptr) {
    auto names = LifeName::all_in(directory_);
    if (!names) {
      return false;
    }
    names_ = std::move(*names);
    name = listed(life);
  }
  const auto standing = name == nullptr ? Result<Standing>(Standing::absent) : standing_of(directory_, *name);
  return standing && *standing != Standing::alive;
}

}  // namespace tenon::inspect
