#include <cli/tour/run.hpp>

#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/process.hpp>

#include <cli/interrupt.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <unistd.h>
#include <utility>

namespace tenon::cli {

namespace {

constexpr auto patience = std::chrono::seconds(20);

/// A fresh directory, removed with all that is in it.
class Workplace {
 public:
  Workplace() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenon-tour-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw Failure(os_failure("mkdtemp", errno).on(pattern));
    }
    path_ = pattern;
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  bool empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_;
};

struct Running {
  Child child;
  ReadEnd output;
  std::string text = {};
};

// What the marks of the table stand for.
std::string filled_in(std::string argument, const std::string& directory) {
  static const std::string own_program = std::filesystem::read_symlink("/proc/self/exe");
  const std::array marks = {
      std::pair<std::string_view, std::string>("{dir}", directory),
      std::pair<std::string_view, std::string>("{name}", directory.substr(directory.rfind('/') + 1)),
      std::pair<std::string_view, std::string>("{tenon}", own_program)};
  for (const auto& [mark, text] : marks) {
    if (const auto at = argument.find(mark); at != std::string::npos) {
      argument.replace(at, mark.size(), text);
    }
  }
  return argument;
}

Running start(const TourProgram& program, const std::string& programs, const std::string& directory) {
  Pipe pipe = Pipe::pair().or_throw();
  std::vector<std::string> arguments;
  for (const char* argument : program.arguments) {
    arguments.push_back(filled_in(argument, directory));
  }
  // Nobody is asked to press Enter.
  const Fd nothing = fd_from(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open").or_throw();
  ProgramOptions options{.descriptors = {{nothing.view(), STDIN_FILENO}, {pipe.writer.fd(), STDOUT_FILENO}}};
  if (program.errors_too) {
    options.descriptors.emplace_back(pipe.writer.fd(), STDERR_FILENO);
  }
  Child child = spawn_program(programs + "/" + program.binary, arguments, options).or_throw();
  return {.child = std::move(child), .output = std::move(pipe).into_reader()};
}

void end(Running& running) {
  [[maybe_unused]] const auto killed = running.child.signal(SIGKILL);
  [[maybe_unused]] const auto reaped = running.child.wait(never);
}

// Starts all of them, or none: those that run already would wait for one that cannot be started. "" if it could.
std::string start_all(const TourEntry& entry, const std::string& programs, const std::string& directory,
                      std::vector<Running>& running) {
  for (const TourProgram& program : entry.programs) {
    try {
      running.push_back(start(program, programs, directory));
    } catch (const Failure& failure) {
      std::ranges::for_each(running, end);
      running.clear();
      return std::string(program.binary) + " could not be started: " + failure.what();
    }
  }
  return "";
}

void read_to_end(Running& running, Deadline deadline) {
  std::array<std::byte, 4096> part;
  while (const std::size_t got = running.output.read(part, deadline).or_throw()) {
    running.text += text_of(Bytes(part).first(got));
  }
}

std::vector<std::string> lines_of(const std::string& output) {
  std::vector<std::string> lines;
  std::istringstream stream(output);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

// "" if it did what the table says.
std::string problem_of(const TourProgram& program, Running& running, Deadline deadline) {
  try {
    read_to_end(running, deadline);
    const ExitStatus status = running.child.wait(deadline).or_throw();
    if (status.code() != program.exits_with) {
      return std::string(program.binary) + " " + status.message();
    }
  } catch (const Failure& failure) {
    end(running);
    return std::string(program.binary) + " " + failure.what();
  }
  if (!matches(program.prints, running.text)) {
    return std::string(program.binary) + " printed something else";
  }
  const bool holds = program.holds == nullptr || program.holds(lines_of(running.text));
  return holds ? "" : std::string(program.binary) + " printed its lines in an order that must not be";
}

}  // namespace

bool matches(const std::vector<std::vector<const char*>>& groups, const std::string& output) {
  const std::vector<std::string> lines = lines_of(output);
  auto at = lines.begin();
  for (const auto& group : groups) {
    if (std::distance(at, lines.end()) < static_cast<std::ptrdiff_t>(group.size())) {
      return false;
    }
    const auto end = at + static_cast<std::ptrdiff_t>(group.size());
    if (!std::is_permutation(at, end, group.begin(), group.end())) {
      return false;
    }
    at = end;
  }
  return at == lines.end();
}

TourOutcome run_entry(const TourEntry& entry, const std::string& programs) {
  TourOutcome outcome;
  const std::int64_t started = monotonic_now();
  const Workplace workplace;
  const Deadline deadline = after(patience).or_stop(interrupt());
  std::vector<Running> running;
  outcome.problem = start_all(entry, programs, workplace.path(), running);
  for (std::size_t i = 0; i < running.size(); ++i) {
    const std::string problem = problem_of(entry.programs[i], running[i], deadline);
    outcome.problem += outcome.problem.empty() || problem.empty() ? problem : "; " + problem;
    outcome.output += running[i].text;
  }
  if (outcome.problem.empty() && !workplace.empty()) {
    outcome.problem = "something was left behind";
  }
  outcome.passed = outcome.problem.empty();
  outcome.milliseconds = (monotonic_now() - started) / 1'000'000;
  return outcome;
}

std::string example_directory() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* candidate : {"../examples", "../libexec/tenon"}) {
    const auto directory = (own / candidate).lexically_normal();
    if (std::filesystem::exists(directory / "pipe_example", error)) {
      return directory.string();
    }
  }
  return "";
}

}  // namespace tenon::cli
