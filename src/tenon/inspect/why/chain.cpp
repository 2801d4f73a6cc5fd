#include <tenon/inspect/why/chain.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace tenon::inspect {

namespace {

struct EndingName {
  Ending ending;
  std::string_view name;
};
constexpr std::array ending_names = {
    EndingName{Ending::runs, "runs"},     EndingName{Ending::idle, "idle"},       EndingName{Ending::unseen, "unseen"},
    EndingName{Ending::dead, "dead"},     EndingName{Ending::stopped, "stopped"}, EndingName{Ending::circle, "circle"},
    EndingName{Ending::nobody, "nobody"},
};

bool is_in(const Chain& chain, std::size_t wait) {
  return std::ranges::find(chain.links, wait, &Link::wait) != chain.links.end();
}

}  // namespace

std::string_view name_of(Ending ending) noexcept {
  return std::ranges::find(ending_names, ending, &EndingName::ending)->name;
}

// From all that nobody outside can end, those that somebody can are taken away until nothing changes.
Chains::Chains(const Snapshot& all) : all_(all) {
  for (const Wait& wait : all.waits) {
    rescues_.push_back(rescue_of(all, wait));
    const Rescue& rescue = rescues_.back();
    const bool held_back =
        std::ranges::all_of(rescue.helpers, [&](const Rescuer& one) { return one.ended || is_stopped(one.pid); });
    hopeless_.push_back(rescue.outside == Outside::nobody && (!rescue.rechecks || held_back));
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < hopeless_.size(); ++i) {
      const auto& helpers = rescues_[i].helpers;
      const bool hope = hopeless_[i] && std::ranges::any_of(helpers, [&](const Rescuer& helper) {
                          return can_act(all.waits[i], helper);
                        });
      hopeless_[i] = hopeless_[i] && !hope;
      changed = changed || hope;
    }
  }
}

bool Chains::is_stopped(pid_t pid) const {
  const Process* process = all_.process(pid);
  return process != nullptr && (process->state == 'T' || process->state == 't');
}

bool Chains::can_act(const Wait& waiting, const Rescuer& helper) const {
  if (helper.ended || is_stopped(helper.pid)) {
    return false;
  }
  if (helper.thread == 0) {
    return can_act(waiting, helper.pid);
  }
  const auto found = std::ranges::find_if(
      all_.waits, [&](const Wait& one) { return one.pid == helper.pid && one.thread == helper.thread; });
  return found == all_.waits.end() || !hopeless_[static_cast<std::size_t>(found - all_.waits.begin())];
}

// Any thread of it that does not wait, or may go on. A thread does not help itself.
bool Chains::can_act(const Wait& waiting, pid_t pid) const {
  const Process* process = all_.process(pid);
  if (process == nullptr || process->threads == 0) {
    return true;
  }
  if (process->state == 'Z') {
    return false;
  }
  const auto [first, last] = std::ranges::equal_range(all_.waits, pid, {}, &Wait::pid);
  std::size_t stuck = 0;
  for (auto wait = first; wait != last; ++wait) {
    stuck += hopeless_[static_cast<std::size_t>(wait - all_.waits.begin())] ? 1 : 0;
  }
  const bool itself = pid == waiting.pid && !hopeless_[static_cast<std::size_t>(&waiting - all_.waits.data())];
  return stuck + (itself ? 1 : 0) < process->threads;
}

// The waits of those threads that could help, but wait.
std::vector<std::size_t> Chains::waits_behind(std::size_t waiting, const Rescuer& helper) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < all_.waits.size(); ++i) {
    const Wait& one = all_.waits[i];
    const bool itself = i == waiting && helper.thread == 0;
    if (one.pid == helper.pid && !itself && (helper.thread == 0 || one.thread == helper.thread)) {
      found.push_back(i);
    }
  }
  return found;
}

// One that the chain has not come by, where there is such.
std::optional<std::size_t> Chains::wait_behind(std::size_t waiting, const Rescuer& helper, const Chain& so_far) const {
  const auto all = waits_behind(waiting, helper);
  const auto fresh = std::ranges::find_if(
      all, [&](std::size_t one) { return !is_in(so_far, one) && hopeless_[one] == hopeless_[waiting]; });
  const auto any = fresh == all.end() ? all.begin() : fresh;
  return any == all.end() ? std::nullopt : std::optional(*any);
}

// True if it has come to its end. Else `next` of its last link leads on.
bool Chains::end_hopeless(Chain& chain) const {
  Link& link = chain.links.back();
  const auto take = [&](auto which) {
    const auto found = std::ranges::find_if(link.helpers, which);
    link.next = found == link.helpers.end() ? std::nullopt
                                            : std::optional(static_cast<std::size_t>(found - link.helpers.begin()));
    chain.last = link.next ? found->pid : 0;
    return link.next.has_value();
  };
  if (take([](const Rescuer& one) { return one.ended; })) {
    chain.ending = Ending::dead;
    return true;
  }
  if (take([&](const Rescuer& one) { return is_stopped(one.pid); })) {
    chain.ending = Ending::stopped;
    return true;
  }
  const auto leads_on = [&](const Rescuer& one) {
    const auto wait = wait_behind(link.wait, one, chain);
    return wait && !is_in(chain, *wait);
  };
  if (take(leads_on)) {
    return false;
  }
  const auto leads_back = [&](const Rescuer& one) { return wait_behind(link.wait, one, chain).has_value(); };
  chain.ending = take(leads_back) ? Ending::circle : Ending::nobody;
  if (chain.ending == Ending::circle) {
    const auto wait = wait_behind(link.wait, link.helpers[*link.next], chain);
    chain.back_to = static_cast<std::size_t>(std::ranges::find(chain.links, *wait, &Link::wait) - chain.links.begin());
  }
  return true;
}

bool Chains::end_hopeful(Chain& chain) const {
  Link& link = chain.links.back();
  const Wait& wait = all_.waits[link.wait];
  const auto able = std::ranges::find_if(link.helpers, [&](const Rescuer& one) { return can_act(wait, one); });
  if (link.outside != Outside::nobody || able == link.helpers.end()) {
    chain.ending = link.outside == Outside::unseen ? Ending::unseen : Ending::idle;
    return true;
  }
  link.next = static_cast<std::size_t>(able - link.helpers.begin());
  chain.last = able->pid;
  const auto behind = waits_behind(link.wait, *able);
  const Process* process = all_.process(able->pid);
  const bool all_wait = process != nullptr && able->thread == 0 && behind.size() >= process->threads;
  const auto next =
      std::ranges::find_if(behind, [&](std::size_t one) { return !hopeless_[one] && !is_in(chain, one); });
  chain.ending = Ending::runs;
  return (able->thread == 0 && !all_wait) || next == behind.end();
}

Chain Chains::chain_from(std::size_t start) const {
  Chain chain{.ending = Ending::unseen};
  for (std::size_t wait = start;;) {
    chain.links.push_back(
        {.wait = wait, .helpers = rescues_[wait].helpers, .outside = rescues_[wait].outside, .next = {}});
    if (hopeless_[wait] ? end_hopeless(chain) : end_hopeful(chain)) {
      return chain;
    }
    const Link& link = chain.links.back();
    const auto behind = waits_behind(wait, link.helpers[*link.next]);
    const auto next = std::ranges::find_if(
        behind, [&](std::size_t one) { return hopeless_[one] == hopeless_[wait] && !is_in(chain, one); });
    wait = *next;
  }
}

std::vector<Chain> Chains::of(pid_t pid) const {
  std::vector<Chain> found;
  for (std::size_t i = 0; i < all_.waits.size(); ++i) {
    if (all_.waits[i].pid == pid) {
      found.push_back(chain_from(i));
    }
  }
  std::ranges::stable_sort(found, std::greater(), [](const Chain& chain) { return is_stuck(chain.ending); });
  return found;
}

std::vector<Chain> Chains::stuck() const {
  std::vector<Chain> candidates;
  for (std::size_t i = 0; i < all_.waits.size(); ++i) {
    if (hopeless_[i]) {
      candidates.push_back(chain_from(i));
    }
  }
  std::ranges::stable_sort(candidates, std::greater(), [](const Chain& chain) { return chain.links.size(); });
  std::vector<Chain> found;
  std::set<std::size_t> told;
  for (Chain& chain : candidates) {
    const Link& first = chain.links.front();
    const bool by_sibling = !first.helpers.empty() && first.helpers.front().role == Role::sibling;
    if (told.contains(first.wait) || by_sibling) {
      continue;
    }
    for (const Link& link : chain.links) {
      told.insert(link.wait);
    }
    found.push_back(std::move(chain));
  }
  return found;
}

}  // namespace tenon::inspect
