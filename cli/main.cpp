#include <tenon/base/name.hpp>

#include <cli/command.hpp>
#include <cli/say.hpp>
#include <cli/scalar_text.hpp>

#include <fmt/core.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <sstream>
#include <unistd.h>

namespace tenon::cli {

int report(const char* command, const Error& error) {
  // Who has pressed Ctrl-C knows why it ends, and wants to know in which call it slept as little as we do.
  const bool plain = error == Errc::stopped && error.detail().empty();
  say(fmt::format("tenon {}: {}\n", command, plain ? Error(Errc::stopped).message() : error.message()));
  return error == Errc::invalid_argument || error == Errc::invalid_name ? misused : failed;
}

std::string seconds(const std::string& text) {
  double value = 0;
  const bool number = CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value >= 0;
  return number ? "" : "\"" + escaped(text) + "\" is not a number of seconds, 0 or more";
}

std::string positive(const std::string& text) {
  return whole_number_in(text).value_or(0) > 0 ? "" : "\"" + escaped(text) + "\" is not a whole number, 1 or more";
}

std::string rate(const std::string& text) {
  double value = 0;
  const bool number = CLI::detail::lexical_cast(text, value) && value >= 1e-3 && value <= 1e9;
  return number ? "" : "\"" + escaped(text) + "\" is not a number of messages a second, from 0.001 to 1e9";
}

namespace {

std::string names_of_commands(const CLI::App& program) {
  std::string names;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

// One line: what was wrong, and where help is.
std::string usage_message(const CLI::App* program, const CLI::Error& error) {
  const auto unknown = program->remaining();
  const std::string what = program->get_subcommands().empty() && !unknown.empty()
                               ? fmt::format("there is no command \"{}\"; there are {}", escaped(unknown.front()),
                                             names_of_commands(*program))
                               : on_one_line(error.what());
  const auto chosen = program->get_subcommands();
  return fmt::format("tenon: {}; see tenon {}--help\n", what, chosen.empty() ? "" : chosen.front()->get_name() + " ");
}

// CLI11 prints what is asked for (help, the version) to the one and what is wrong to the other.
int exit_code(const CLI::App& program, const CLI::ParseError& error) {
  std::ostringstream output;
  std::ostringstream errors;
  const bool asked_for = program.exit(error, output, errors) == 0;
  say(errors.str());
  if (asked_for) {
    fmt::print("{}", output.str());
  }
  return asked_for ? succeeded : misused;
}

// Whoever starts us may have closed one of the three. What we open first would take its place, and be written to as
// standard output; /dev/null, opened for the other direction, gives the error that a closed descriptor gives.
void fill_standard_descriptors() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) == -1) {
      [[maybe_unused]] const int lowest = ::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

int run(int argc, char** argv) {
  fill_standard_descriptors();
  CLI::App program("Inter-process communication: send, receive, see.");
  program.name("tenon");
  program.set_version_flag("--version", std::string("tenon ") + TENON_VERSION);
  program.require_subcommand(1);
  program.failure_message(usage_message);
  int code = succeeded;
  add_send(program, code);
  add_recv(program, code);
  add_pub(program, code);
  add_echo(program, code);
  add_hz(program, code);
  add_get(program, code);
  add_set(program, code);
  add_watch(program, code);
  add_call(program, code);
  add_serve(program, code);
  add_tour(program, code);
  add_locks(program, code);
  add_ls(program, code);
  add_why(program, code);
  add_graph(program, code);
  add_rm(program, code);
  add_gc(program, code);
  add_show(program, code);
  add_top(program, code);
  add_doctor(program, code);
  add_bench(program, code);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return exit_code(program, error);
  }
  return code;
}

}  // namespace

}  // namespace tenon::cli

int main(int argc, char** argv) try { return tenon::cli::run(argc, argv); } catch (const std::exception& error) {
  tenon::cli::say(std::string("tenon: ") + tenon::cli::on_one_line(error.what()) + "\n");
  return tenon::cli::failed;
}
