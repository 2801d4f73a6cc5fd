#pragma once
/// What the programs of benchmarks have in common: rows chosen by name, how far they are, a file for what they found.
#include <tenon/base/result.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace harness {

/// main() of a program: reads its arguments, and runs `body`, whose exit code it returns; 2 if they were wrong, 1 if
/// `body` threw, and says what.
int run_program(const char* name, CLI::App& app, int argc, char** argv, const std::function<int()>& body);

/// Whether the text contains one of what is wanted; all are, if nothing is.
bool selected(const std::string& text, const std::vector<std::string>& wanted);

/// "3/20 what is measured now" on standard error, where that is a terminal; cleared in the end.
class Progress {
 public:
  explicit Progress(std::size_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void next(const std::string& name);

 private:
  void print(const std::string& text) const;

  std::size_t total_;
  std::size_t done_ = 0;
  bool shown_;
};

/// Written whole, and to be called only at the end: a run that was ended early leaves no file that looks like one.
/// Failures: those of open(2) and write(2).
tenon::Result<void> write_file(const std::string& path, const std::string& text);

}  // namespace harness
