#pragma once
/// One operation, instruction by instruction: what the kill points are chosen from.
#include <kit/kill_case.hpp>
#include <kit/traced_process.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kit {

struct Recording {
  struct Instruction {
    std::uint64_t pointer;
    bool calls;    ///< it is a system call
    bool changed;  ///< the shared state was another one afterwards
  };
  std::vector<Instruction> instructions;
  /// Distinct states of what is shared, the first one included.
  std::size_t states = 1;
  /// The last instruction is a system call that sleeps: the operation does not end by itself.
  bool sleeps = false;
  /// The process ended otherwise than with its operation.
  bool died = false;

  /// Points to kill at; point k has k instructions behind it. All up to `exhaustive`; beyond that those after a change
  /// and those on both sides of a system call. Of the points that are neither, only every `stride`-th.
  std::vector<std::size_t> points(std::size_t exhaustive, std::size_t stride) const;

  /// True if instruction k, the next at point k, is where a process at `pointer` stands.
  bool agrees(std::size_t k, std::uint64_t pointer) const noexcept;
};

/// Steps `process` through its operation, which it begins at instruction 0, and looks at the trial's state.
Recording record(KillTrial& trial, TracedProcess& process);

/// Brings a process that stands at instruction 0 to point k, over the system calls at full speed. It stops earlier if
/// the operation ends there, or sleeps where the recorded one did not sleep for long.
TracedProcess::State advance(TracedProcess& process, const Recording& recording, std::size_t k);

}  // namespace kit
