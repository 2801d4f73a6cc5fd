#include <tenon/inspect/why/prospects.hpp>

#include <tenon/inspect/why/circles.hpp>

#include <algorithm>
#include <array>

namespace tenon::inspect {

namespace {

struct PlightName {
  Plight plight;
  std::string_view name;
};
constexpr std::array plight_names = {
    PlightName{Plight::none, "none"},
    PlightName{Plight::possibly, "possibly"},
    PlightName{Plight::stuck, "stuck"},
};

/// Waits, which come first, lead to the processes and threads of their helpers, and those to the waits that they are
/// in.
class Graph {
 public:
  Graph(const Snapshot& all, std::span<const Rescue> rescues, const std::vector<bool>& waits)
      : all_(all), waits_(waits), arrows_(waits.size()) {
    for (std::size_t i = 0; i < waits.size(); ++i) {
      for (const Rescuer& helper : rescues[i].helpers) {
        if (waits[i]) {
          const std::size_t to = node_of(helper);
          arrows_[i].push_back(to);
        }
      }
    }
  }
  const Arrows& arrows() const noexcept { return arrows_; }

 private:
  std::size_t node_of(const Rescuer& helper) {
    const auto [known, added] = nodes_.try_emplace(helper.thread == 0 ? -helper.pid : helper.thread, arrows_.size());
    if (added) {
      arrows_.emplace_back();
      each_wait_behind(all_, all_.waits.size(), helper, [&](std::size_t wait) {
        if (waits_[wait]) {
          arrows_.back().push_back(wait);
        }
      });
    }
    return known->second;
  }

  const Snapshot& all_;
  const std::vector<bool>& waits_;
  Arrows arrows_;
  std::unordered_map<pid_t, std::size_t> nodes_;
};

Arrows turned(const Arrows& arrows) {
  Arrows back(arrows.size());
  for (std::size_t from = 0; from < arrows.size(); ++from) {
    for (const std::size_t to : arrows[from]) {
      back[to].push_back(from);
    }
  }
  return back;
}

}  // namespace

std::string_view name_of(Plight plight) noexcept {
  return std::ranges::find(plight_names, plight, &PlightName::plight)->name;
}

Prospects::Prospects(const Snapshot& all, std::span<const Rescue> rescues)
    : all_(all),
      rescues_(rescues),
      stuck_(hopeless(Doubt::none)),
      but_for_unseen_(hopeless(Doubt::unseen)),
      told_(all, rescues, what_stays(hopeless(Doubt::any))) {}

Plight Prospects::of(std::size_t wait) const noexcept {
  return stuck_[wait] ? Plight::stuck : told_[wait] ? Plight::possibly : Plight::none;
}

bool Prospects::is_stopped_or_dead(const Rescuer& helper) const { return helper.ended || all_.is_stopped(helper.pid); }

std::vector<bool> Prospects::hopeless(Doubt doubt) {
  std::vector<bool> waits;
  for (const Rescue& rescue : rescues_) {
    const bool held_back =
        std::ranges::all_of(rescue.helpers, [&](const Rescuer& one) { return is_stopped_or_dead(one); });
    const bool alone = rescue.others == Others::none || doubt == Doubt::any ||
                       (rescue.others == Others::closed && doubt == Doubt::unseen);
    waits.push_back(rescue.outside == Outside::nobody && alone && (!rescue.rechecks || held_back));
  }
  Held held(all_, rescues_, std::move(waits));
  held.release_what_can_go();
  looks_ += held.looks();
  return held.waits();
}

// Who has no cause rests, and may be woken by whoever comes: so it can act, and lets others go.
std::vector<bool> Prospects::what_stays(std::vector<bool> waits) {
  while (true) {
    const std::vector<bool> caused = with_cause(waits);
    if (caused == waits) {
      return waits;
    }
    Held held(all_, rescues_, caused);
    held.release_what_can_go();
    looks_ += held.looks();
    waits = held.waits();
  }
}

std::vector<bool> Prospects::causes(const std::vector<bool>& hopeless) const {
  const Graph graph(all_, rescues_, hopeless);
  const std::vector<std::size_t> parts = parts_of(graph.arrows());
  std::vector<std::size_t> sizes(parts.size());
  std::ranges::for_each(parts, [&](std::size_t part) { ++sizes[part]; });
  std::vector<bool> found(hopeless.size());
  for (std::size_t i = 0; i < hopeless.size(); ++i) {
    const Rescue& rescue = rescues_[i];
    const bool in_circle = sizes[parts[i]] > 1 && rescue.is_owed;
    const bool held_back =
        std::ranges::any_of(rescue.helpers, [&](const Rescuer& one) { return is_stopped_or_dead(one); });
    found[i] = hopeless[i] && (but_for_unseen_[i] || in_circle || held_back || rescue.helpers.empty());
  }
  return found;
}

std::vector<bool> Prospects::with_cause(const std::vector<bool>& hopeless) const {
  std::vector<bool> found = causes(hopeless);
  const Arrows back = turned(Graph(all_, rescues_, hopeless).arrows());
  std::vector<bool> reached(back.size());
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i]) {
      reached[i] = true;
      open.push_back(i);
    }
  }
  while (!open.empty()) {
    const std::size_t node = open.back();
    open.pop_back();
    for (const std::size_t from : back[node]) {
      if (!reached[from]) {
        reached[from] = true;
        open.push_back(from);
      }
    }
  }
  reached.resize(hopeless.size());
  return reached;
}

}  // namespace tenon::inspect
