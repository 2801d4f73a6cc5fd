#include <tenon/inspect/why/held.hpp>

#include <algorithm>

namespace tenon::inspect {

Held::Held(const Snapshot& all, std::span<const Rescue> rescues, std::vector<bool> waits)
    : all_(all), rescues_(rescues), held_(std::move(waits)) {
  pid_t last = 0;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const Wait& wait = all_.waits[i];
    Busy& busy = busy_[wait.pid];
    busy.threads += wait.thread != 0 && wait.thread != last ? 1 : 0;
    busy.unknown += wait.thread == 0 ? 1 : 0;
    last = wait.thread;
    for (const Rescuer& helper : rescues_[i].helpers) {
      (helper.thread == 0 ? dependents_[helper.pid] : thread_dependents_[helper.thread]).push_back(i);
    }
  }
  for (std::size_t i = 0; i < held_.size(); ++i) {
    if (!held_[i]) {
      release(i);
    }
  }
}

// Only what depends on somebody who was not free before is looked at again.
void Held::release_what_can_go() {
  for (std::size_t i = 0; i < held_.size(); ++i) {
    again_.push_back(i);
  }
  while (!again_.empty()) {
    const std::size_t wait = again_.back();
    again_.pop_back();
    if (held_[wait] && is_helped(wait)) {
      held_[wait] = false;
      release(wait);
    }
  }
}

// A thread that waits for several things at once goes on with the first.
void Held::release(std::size_t wait) {
  const auto& [pid, thread] = std::pair(all_.waits[wait].pid, all_.waits[wait].thread);
  Busy& busy = busy_[pid];
  const bool was_free = has_free_thread(pid, 0);
  if (thread == 0) {
    --busy.unknown;
  } else if (free_threads_.insert(thread).second) {
    --busy.threads;
    const auto& those = thread_dependents_[thread];
    again_.insert(again_.end(), those.begin(), those.end());
  }
  if (!was_free && has_free_thread(pid, 0)) {
    const auto& those = dependents_[pid];
    again_.insert(again_.end(), those.begin(), those.end());
  }
}

// Anything unknown counts as able to help. A wait that is no known thread's may be that of one which is known to wait.
bool Held::has_free_thread(pid_t pid, std::size_t besides) const {
  const Process* process = all_.process(pid);
  if (process == nullptr || process->threads == 0) {
    return process == nullptr || process->state != 'Z';
  }
  const auto found = busy_.find(pid);
  const Busy busy = found == busy_.end() ? Busy() : found->second;
  return std::max(busy.threads, busy.unknown) + besides < process->threads;
}

bool Held::can_act(std::size_t waiting, const Rescuer& helper) const {
  ++looks_;
  if (helper.ended || all_.is_stopped(helper.pid)) {
    return false;
  }
  if (helper.thread == 0) {
    const bool itself = helper.pid == all_.waits[waiting].pid && !held_[waiting];
    return has_free_thread(helper.pid, itself ? 1 : 0);
  }
  const auto own = std::ranges::equal_range(all_.waits, helper.pid, {}, &Wait::pid);
  const bool waits = std::ranges::binary_search(own, helper.thread, {}, &Wait::thread);
  return !waits || free_threads_.contains(helper.thread);
}

bool Held::is_helped(std::size_t wait) const {
  const Rescue& rescue = rescues_[wait];
  const auto able = [&](const Rescuer& one) { return can_act(wait, one); };
  return rescue.needs_all ? std::ranges::all_of(rescue.helpers, able) : std::ranges::any_of(rescue.helpers, able);
}

}  // namespace tenon::inspect
