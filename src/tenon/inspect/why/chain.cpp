#include <tenon/inspect/why/chain.hpp>

#include <algorithm>
#include <array>
#include <unordered_map>

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

std::vector<Rescue> rescues_of(const Snapshot& all) {
  std::vector<Rescue> found;
  found.reserve(all.waits.size());
  std::ranges::for_each(all.waits, [&](const Wait& wait) { found.push_back(rescue_of(all, wait)); });
  return found;
}

}  // namespace

std::string_view name_of(Ending ending) noexcept {
  return std::ranges::find(ending_names, ending, &EndingName::ending)->name;
}

Chains::Chains(const Snapshot& all) : all_(all), rescues_(rescues_of(all)), prospects_(all, rescues_) {}

// To the waits of helpers that are told too.
std::vector<Chains::Step> Chains::steps_from(std::size_t wait) const {
  std::vector<Step> found;
  const auto& helpers = rescues_[wait].helpers;
  for (std::size_t i = 0; i < helpers.size(); ++i) {
    ++looks_;
    each_wait_behind(all_, wait, helpers[i], [&](std::size_t to) {
      if (is_told(to)) {
        found.push_back({.helper = i, .to = to});
      }
    });
  }
  return found;
}

// Who waits for the same, as several consumers of one thing do.
bool Chains::is_fellow(std::size_t wait, std::size_t other) const {
  const Wait& one = all_.waits[wait];
  const Wait& two = all_.waits[other];
  return one.need == two.need && one.objects == two.objects && one.semaphore == two.semaphore &&
         one.sends == two.sends && !one.objects.empty();
}

// The helper that is dead, or stopped.
std::optional<std::size_t> Chains::which(std::size_t wait, Ending ending) const {
  const auto& helpers = rescues_[wait].helpers;
  const auto found = std::ranges::find_if(helpers, [&](const Rescuer& one) {
    return ending == Ending::dead ? one.ended : all_.is_stopped(one.pid) && !one.ended;
  });
  return found == helpers.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - helpers.begin()));
}

// Nothing where the chain leads on.
std::optional<Ending> Chains::end_at(std::size_t wait) const {
  for (const Ending ending : {Ending::dead, Ending::stopped}) {
    if (which(wait, ending)) {
      return ending;
    }
  }
  const auto& helpers = rescues_[wait].helpers;
  const bool owned = std::ranges::any_of(
      helpers, [](const Rescuer& one) { return one.role == Role::owner || one.role == Role::last; });
  const auto steps = owned ? std::vector<Step>() : steps_from(wait);
  const bool all_wait = !owned && std::ranges::all_of(steps, [&](const Step& one) { return is_fellow(wait, one.to); });
  return helpers.empty() || all_wait ? std::optional(Ending::nobody) : std::nullopt;
}

Chain Chains::along(std::size_t start, const Path& path) const {
  const auto link = [&](std::size_t wait) {
    return Link{.wait = wait,
                .helpers = rescues_[wait].helpers,
                .outside = rescues_[wait].outside,
                .others = rescues_[wait].others};
  };
  Chain chain{.ending = Ending::unseen, .plight = prospects_.of(start)};
  chain.links.push_back(link(start));
  for (const Step& step : path) {
    chain.links.back().next = step.helper;
    chain.links.push_back(link(step.to));
  }
  return chain;
}

// To the nearest end, in the order of steps. Nothing where there is none: then all ways lead into circles.
std::optional<Chain> Chains::shortest_from(std::size_t start) const {
  std::unordered_map<std::size_t, std::pair<std::size_t, Step>> reached_by = {{start, {start, Step()}}};
  std::vector<std::size_t> order = {start};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t wait = order[i];
    const auto ending = end_at(wait);
    if (!ending) {
      for (const Step& step : steps_from(wait)) {
        if (reached_by.try_emplace(step.to, wait, step).second) {
          order.push_back(step.to);
        }
      }
      continue;
    }
    Path path;
    for (std::size_t at = wait; at != start; at = reached_by.at(at).first) {
      path.push_back(reached_by.at(at).second);
    }
    std::ranges::reverse(path);
    Chain chain = along(start, path);
    Link& last = chain.links.back();
    chain.ending = *ending;
    last.next = which(wait, *ending);
    chain.last = last.next && *ending != Ending::nobody ? last.helpers[*last.next].pid : 0;
    return chain;
  }
  return std::nullopt;
}

// Back to where it has been as soon as a step leads there.
Chain Chains::circle_from(std::size_t start) const {
  Path path;
  std::unordered_map<std::size_t, std::size_t> places = {{start, 0}};
  for (std::size_t wait = start;;) {
    const auto steps = steps_from(wait);
    const auto back = std::ranges::find_if(steps, [&](const Step& one) { return places.contains(one.to); });
    if (back == steps.end() && !steps.empty()) {
      path.push_back(steps.front());
      wait = steps.front().to;
      places[wait] = path.size();
      continue;
    }
    Chain chain = along(start, path);
    chain.ending = steps.empty() ? Ending::nobody : Ending::circle;
    if (!steps.empty()) {
      chain.links.back().next = back->helper;
      chain.last = chain.links.back().helpers[back->helper].pid;
      chain.back_to = places.at(back->to);
    }
    return chain;
  }
}

// Along those who can act, until one of them does not wait, or nobody is left but whoever comes.
Chain Chains::hopeful_from(std::size_t start) const {
  Path path;
  std::vector<std::size_t> been = {start};
  Chain chain{.ending = Ending::idle};
  for (std::optional<std::size_t> wait = start; wait;) {
    const Rescue& rescue = rescues_[*wait];
    const auto able = std::ranges::find_if(
        rescue.helpers, [&](const Rescuer& one) { return ++looks_, prospects_.can_act(*wait, one); });
    if (rescue.outside != Outside::nobody || able == rescue.helpers.end()) {
      chain = along(start, path);
      chain.ending = rescue.outside == Outside::unseen ? Ending::unseen : Ending::idle;
      return chain;
    }
    const auto helper = static_cast<std::size_t>(able - rescue.helpers.begin());
    std::vector<std::size_t> behind;
    each_wait_behind(all_, *wait, *able, [&](std::size_t one) { behind.push_back(one); });
    const Process* process = all_.process(able->pid);
    const bool all_wait = able->thread != 0 || (process != nullptr && behind.size() >= process->threads);
    const auto next = std::ranges::find_if(behind, [&](std::size_t one) {
      return all_wait && !is_told(one) && std::ranges::find(been, one) == been.end();
    });
    if (next == behind.end()) {
      chain = along(start, path);
      chain.ending = Ending::runs;
      chain.links.back().next = helper;
      chain.last = able->pid;
      return chain;
    }
    path.push_back({.helper = helper, .to = *next});
    been.push_back(*next);
    wait = *next;
  }
  return chain;
}

Chain Chains::chain_from(std::size_t start) const {
  if (!is_told(start)) {
    return hopeful_from(start);
  }
  auto shortest = shortest_from(start);
  return shortest ? std::move(*shortest) : circle_from(start);
}

std::vector<Chain> Chains::of(pid_t pid) const {
  std::vector<Chain> found;
  const auto [first, last] = std::ranges::equal_range(all_.waits, pid, {}, &Wait::pid);
  for (auto wait = first; wait != last; ++wait) {
    found.push_back(chain_from(static_cast<std::size_t>(wait - all_.waits.begin())));
  }
  std::ranges::stable_sort(found, std::greater(), &Chain::plight);
  return found;
}

// Those to which no other leads come first: the chains from there hold most of the rest.
std::vector<std::size_t> Chains::beginnings() const {
  std::vector<bool> behind(rescues_.size());
  for (std::size_t i = 0; i < rescues_.size(); ++i) {
    for (const Step& step : is_told(i) ? steps_from(i) : std::vector<Step>()) {
      behind[step.to] = true;
    }
  }
  std::vector<std::size_t> order;
  for (const bool later : {false, true}) {
    for (std::size_t i = 0; i < rescues_.size(); ++i) {
      if (is_told(i) && behind[i] == later) {
        order.push_back(i);
      }
    }
  }
  return order;
}

// Threads that wait for their siblings alone are told by what those wait for.
std::vector<Chain> Chains::stuck() const {
  std::vector<Chain> found;
  std::vector<bool> told(rescues_.size());
  for (const std::size_t start : beginnings()) {
    const auto& helpers = rescues_[start].helpers;
    if (told[start] || (!helpers.empty() && helpers.front().role == Role::sibling)) {
      continue;
    }
    Chain chain = chain_from(start);
    std::ranges::for_each(chain.links, [&](const Link& link) { told[link.wait] = true; });
    found.push_back(std::move(chain));
  }
  std::ranges::stable_sort(found, std::greater(), &Chain::plight);
  return found;
}

}  // namespace tenon::inspect
