#pragma once
/// The command line, run as a child whose input, output and errors the test holds.
#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/os/process.hpp>

#include <kit/patience.hpp>

#include <optional>
#include <string>
#include <vector>

namespace transfer {

struct Finished {
  tenon::ExitStatus status;
  std::string output;
  std::string errors;
};

class Command {
 public:
  /// Runs `tenon ARGUMENTS…`. Without `input` the command reads from what input() writes. `errors` takes the place of
  /// what finish() reads: a terminal, say.
  explicit Command(const std::vector<std::string>& arguments, std::optional<tenon::Fd> input = {},
                   std::optional<tenon::Fd> output = {}, std::optional<tenon::Fd> errors = {});
  /// Runs a script of sh(1), in which "$@" is `tenon ARGUMENTS…`.
  static Command by_shell(const std::string& script, const std::vector<std::string>& arguments);
  /// Kills it if it still runs.
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  tenon::Child& process() noexcept { return child_; }
  tenon::WriteEnd& input() noexcept { return *input_; }
  void close_input() { input_.reset(); }
  void close_output() { output_.reset(); }
  void signal(int number);
  /// What it has printed since the last call, as much as there is room for; nothing if that is nothing.
  std::optional<std::size_t> try_read_output(tenon::MutableBytes into);
  /// Reads what it prints until it ends; throws if it prints nothing for so long.
  Finished finish(kit::Duration limit = kit::default_limit);

 private:
  struct Program {
    std::string path;
    std::vector<std::string> arguments;
  };
  struct Streams {
    std::optional<tenon::Fd> input;
    std::optional<tenon::Fd> output;
    std::optional<tenon::Fd> errors;
  };
  Command(const Program& program, Streams streams) : child_(start(program, std::move(streams))) {}
  tenon::Child start(const Program& program, Streams streams);

  std::optional<tenon::WriteEnd> input_;
  std::optional<tenon::ReadEnd> output_;
  std::optional<tenon::ReadEnd> errors_;
  tenon::Child child_;
  bool finished_ = false;
};

}  // namespace transfer
