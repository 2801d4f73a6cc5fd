#pragma once
/// Where figures were made: without it they mean nothing.
#include <harness/clock.hpp>

#include <string>

namespace harness {

struct Environment {
  std::string processor;   ///< the model's name
  std::string processors;  ///< those that the benchmark may use: "0,1"
  std::string machine;     ///< "virtual machine" or "bare machine", as the processor says
  std::string kernel;
  std::string compiler;
  std::string governor;      ///< of the first processor; "not visible" on most virtual machines
  std::string system_calls;  ///< "counted", or why they cannot be
  std::string clock;
  double clock_cost = 0;  ///< nanoseconds
  double load = 0;        ///< of the last minute, when the run began
};

Environment environment(const Clock& clock);

/// A few lines for people.
std::string description(const Environment& environment);

}  // namespace harness
