#pragma once
/// A benchmark's program: the rows of a pattern, chosen by name, measured one after the other and printed.
#include <topic/idle.hpp>
#include <topic/row.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace topics {

/// What an end uses that waits and hears nothing.
struct IdleCase {
  std::string name;
  std::function<tenon::Result<Idleness>(std::chrono::nanoseconds)> measure;
};

struct Program {
  std::string name;   ///< of the program, and of its column in the table
  std::string about;  ///< with an example
  std::function<std::vector<Row>(limits::Extent)> rows;
  std::vector<IdleCase> idle = {};
};

/// main() of it: --quick, --list, --json FILE, and names. Returns 0, 1 where a row failed, 2 where it was called
/// wrongly.
int run_program(const Program& program, int argc, char** argv);

}  // namespace topics
