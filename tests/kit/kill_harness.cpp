#include <kit/guarded_run.hpp>
#include <kit/kill_run.hpp>
#include <tenon/base/contract.hpp>

#include <cstring>

namespace kit {

namespace {

std::string at(std::size_t k, const Recording& recording) {
  return "killed at instruction " + std::to_string(k) + " of " + std::to_string(recording.instructions.size());
}

}  // namespace

KillReport kill_everywhere(const KillCase& which, const KillOptions& options) {
  KillRun run(which, "kill", options);
  const Recording recording = run.record_operation();
  for (const std::size_t k : run.drawn(recording.points(options.exhaustive, options.stride))) {
    if (run.out_of_time()) {
      break;
    }
    run.attempt(at(k, recording), [&](KillTrial& trial) {
      TracedProcess victim = victim_of(trial);
      return run.kill_at(victim, recording, k);
    });
  }
  return run.finish();
}

namespace {

void recover_copy(KillRun& run, KillTrial& world, tenon::Bytes copy) {
  const auto recovered = tenon::Mapping::shared_with_children(copy.size()).or_throw();
  std::memcpy(recovered.data(), copy.data(), copy.size());
  const GuardedRun end = run_guarded([&] { world.recover(recovered.bytes()); }, run.options().hang_limit);
  ++run.report.tried;
  ++run.report.struck;
  const std::string where = "copied after instruction " + std::to_string(run.report.instructions);
  if (end.end == GuardedRun::End::hung) {
    run.add_hang(where + ": hangs");
  } else if (end.end == GuardedRun::End::failed) {
    run.add_broken(where + ": " + end.story);
  }
}

}  // namespace

// Here the victim runs once, and what is recovered are pictures of its memory. What there is no time for is counted.
KillReport recover_copies(const KillCase& which, const KillOptions& options) {
  KillRun run(which, "copy", options);
  const auto world = run.trial();
  const tenon::MutableBytes segment = world->segment();
  tenon::expects(!segment.empty(), "a case whose copies are recovered has a segment");
  TracedProcess victim = victim_of(*world);
  const auto copy = tenon::Mapping::shared_with_children(segment.size()).or_throw();
  std::memset(copy.data(), 0xff, copy.size());
  while (victim.state() == TracedProcess::State::stopped) {
    if (std::memcmp(copy.data(), segment.data(), segment.size()) != 0) {
      std::memcpy(copy.data(), segment.data(), segment.size());
      ++run.report.points;
      if (options.kills && !run.out_of_time()) {
        recover_copy(run, *world, copy.bytes());
      }
    }
    victim.step();
    ++run.report.instructions;
  }
  run.report.wanted = run.report.states = run.report.points;
  return run.finish();
}

}  // namespace kit
