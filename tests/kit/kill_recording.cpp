#include <kit/kill_recording.hpp>

#include <tenon/base/contract.hpp>

#include <set>
#include <unordered_map>

namespace kit {

namespace {

constexpr std::size_t longest_operation = 2'000'000;
// How long a call may sleep that did return when it was recorded: short sleeps are long ones on a busy machine.
constexpr Duration oversleep{500};

using State = TracedProcess::State;

// What happened between two hashes is told by the later one; where only calls change the state, hashing after calls
// is enough.
class StateWatch {
 public:
  explicit StateWatch(KillTrial& trial) : trial_(trial), last_(trial.state()), seen_{last_} {}

  bool changed_by(bool call) {
    if (!call && !trial_.changes_without_calls()) {
      return false;
    }
    const std::uint64_t now = trial_.state();
    const bool changed = now != last_;
    last_ = now;
    seen_.insert(now);
    return changed;
  }
  std::size_t distinct() const noexcept { return seen_.size(); }

 private:
  KillTrial& trial_;
  std::uint64_t last_;
  std::set<std::uint64_t> seen_;
};

}  // namespace

Recording record(KillTrial& trial, TracedProcess& process) {
  Recording recording;
  StateWatch watch(trial);
  std::unordered_map<std::uint64_t, bool> is_call;  // to read an instruction costs as much as to execute it
  State state = process.state();
  while (state == State::stopped) {
    tenon::expects(recording.instructions.size() < longest_operation, "an operation under the harness comes to an end");
    const std::uint64_t pointer = process.instruction_pointer();
    const auto [known, fresh] = is_call.try_emplace(pointer, false);
    if (fresh) {
      known->second = process.at_system_call();
    }
    const bool calls = known->second;
    state = process.step();
    recording.instructions.push_back({.pointer = pointer, .calls = calls, .changed = watch.changed_by(calls)});
  }
  recording.sleeps = state == State::asleep;
  recording.died = state == State::dead;
  recording.states = watch.distinct();
  return recording;
}

std::vector<std::size_t> Recording::points(std::size_t exhaustive, std::size_t stride) const {
  std::vector<std::size_t> chosen;
  for (std::size_t k = 0; k <= instructions.size(); ++k) {
    const bool after = k > 0 && (instructions[k - 1].calls || instructions[k - 1].changed);
    const bool before = k < instructions.size() && instructions[k].calls;
    const bool last = k == instructions.size();
    if (after || before || last || (k <= exhaustive && k % stride == 0)) {
      chosen.push_back(k);
    }
  }
  return chosen;
}

bool Recording::agrees(std::size_t k, std::uint64_t pointer) const noexcept {
  return k >= instructions.size() || instructions[k].pointer == pointer;
}

TracedProcess::State advance(TracedProcess& process, const Recording& recording, std::size_t k) {
  std::size_t calls = 0;
  std::size_t behind_calls = 0;
  const bool to_sleep = recording.sleeps && k == recording.instructions.size();
  const std::size_t end = to_sleep ? k - 1 : k;
  for (std::size_t i = 0; i < end; ++i) {
    if (recording.instructions[i].calls) {
      ++calls;
      behind_calls = i + 1;
    }
  }
  while (calls-- > 0 && process.run_past_system_call(oversleep) == State::stopped) {
  }
  process.step_over(end - behind_calls, oversleep);
  return to_sleep ? process.step() : process.state();
}

}  // namespace kit
