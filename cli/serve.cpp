/// tenon serve SERVICE [--lines] -- COMMAND…
#include <cli/answer_by_command.hpp>
#include <cli/command.hpp>
#include <cli/input.hpp>
#include <cli/interrupt.hpp>
#include <cli/say.hpp>
#include <cli/service_end.hpp>

#include <tenon/os/futex.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace tenon::cli {

namespace {

struct ServeOptions {
  ServiceChoice choice;
  std::vector<std::string> command;
  bool lines = false;
};

constexpr int not_runnable = 127;  // as shells say it

// A command of its own for each request.
Result<void> answer_one(ByteCall call, const ServeOptions& options) {
  auto command = RunningCommand::start(options.command, RunningCommand::Errors::held);
  if (!command) {
    const std::string text = on_one_line(command.error().message());
    say("tenon serve: " + text + "\n");
    [[maybe_unused]] const auto told = std::move(call).refuse(not_runnable, text);  // who waits no more needs no word
    return {};
  }
  return AnswerByCommand(std::move(call), **command).run();
}

/// One command for all requests: a line in, a line out.
class LineCommand {
 public:
  static Result<LineCommand> start(const ServeOptions& options) {
    return RunningCommand::start(options.command, RunningCommand::Errors::passed_on)
        .transform([](std::unique_ptr<RunningCommand> command) { return LineCommand(std::move(command)); });
  }

  /// Outcomes: stopped, closed (the command has ended).
  Result<void> answer(ByteCall call) {
    std::string_view request = text_of(Bytes(*call.request()));
    if (request.ends_with('\n')) {
      request.remove_suffix(1);  // as echo ends what it prints
    }
    if (request.find('\n') != std::string_view::npos) {
      [[maybe_unused]] const auto told = std::move(call).refuse(1, "a request to this service is one line");
      return {};
    }
    drop_what_nobody_asked_for();
    auto asked = command_->input->write(bytes_of(std::string(request) + "\n"), never.or_stop(interrupt()));
    auto line = asked ? next_line(call) : Result<std::string_view>(fail(std::move(asked.error())));
    if (line.failed_with(Errc::timed_out)) {
      return {};  // who asked waits no more; the command may answer yet
    }
    if (line) {
      return respond_whole(std::move(call), bytes_of(*line));
    }
    if (line.failed_with(Errc::stopped)) {
      return fail(std::move(line.error()));
    }
    const auto status = command_->wait(step_deadline(1));
    const std::string text = "the command " + (status ? status->message() : std::string("answers no more"));
    [[maybe_unused]] const auto told = std::move(call).refuse(not_runnable, text);  // as above
    return fail(Error(Errc::closed).because(text));
  }

 private:
  explicit LineCommand(std::unique_ptr<RunningCommand> command)
      : command_(std::move(command)), lines_(std::move(*command_->output).into_fd()) {}

  // The command's answer to this call, behind those to calls that were given up. Outcomes: timed_out (this one was),
  // stopped, closed.
  Result<std::string_view> next_line(ByteCall& call) {
    while (true) {
      auto line = lines_.next(after(recheck_interval).or_stop(interrupt()));
      if (line && owed_ > 0) {
        --owed_;
        continue;
      }
      if (!line.failed_with(Errc::timed_out)) {
        return line;
      }
      if (call.is_cancelled() || call.deadline().passed()) {
        ++owed_;
        return line;
      }
    }
  }
  // A line of greeting, or a second one for a request, would be the answer to the next.
  void drop_what_nobody_asked_for() {
    for (auto line = lines_.next(immediately); line; line = lines_.next(immediately)) {
      if (owed_ > 0) {
        --owed_;
      } else {
        say("tenon serve: the command printed a line that no request asked for: " + on_one_line(*line) + "\n");
      }
    }
  }

  std::unique_ptr<RunningCommand> command_;
  InputLines lines_;
  std::uint64_t owed_ = 0;  // answers to calls that were given up
};

Result<void> serve_all(ByteServer& server, const ServeOptions& options) {
  auto lines =
      options.lines
          ? LineCommand::start(options).transform([](LineCommand command) { return std::optional(std::move(command)); })
          : Result<std::optional<LineCommand>>(std::nullopt);
  if (!lines) {
    return fail(std::move(lines.error()));
  }
  while (true) {
    auto call = server.receive(never.or_stop(interrupt()));
    if (call.failed_with(Errc::stopped)) {
      return {};  // that is how a server is ended
    }
    if (!call) {  // of a client that cannot be answered: the others can
      say("tenon serve: " + on_one_line(call.error().message()) + "\n");
      continue;
    }
    auto answered = *lines ? (*lines)->answer(std::move(*call)) : answer_one(std::move(*call), options);
    if (answered.failed_with(Errc::stopped)) {
      say("tenon serve: stopped in the midst of a call, whose client is told\n");
      return {};
    }
    if (!answered) {
      return answered;
    }
  }
}

Result<void> serve(const ServeOptions& options) {
  interrupt();  // from here on a signal leaves nothing behind
  auto member = join(options.choice);
  auto server = member ? ByteServer::create(member->holder, options.choice.service, {.longest = longest_part})
                       : Result<ByteServer>(fail(std::move(member.error())));
  return server ? serve_all(*server, options) : fail(std::move(server.error()));
}

}  // namespace

void add_serve(CLI::App& program, int& code) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = program.add_subcommand("serve", "Answer a service's requests by running a command");
  add_service(*command, options->choice);
  command
      ->add_option("COMMAND", options->command,
                   "What to run, behind --: a program and its arguments, or one text for the shell")
      ->required()
      ->type_name("");
  command->add_flag("--lines", options->lines,
                    "Run it once: each request is a line that it reads, each response a line that it prints");
  command->footer(
      "Example, in two terminals, in either order:\n"
      "  tenon serve upper -- tr a-z A-Z\n"
      "  tenon call upper hello\n"
      "The request is on the command's standard input, and what it prints is the response. If it fails, the call "
      "does,\nwith the last line that it said on standard error. Several servers of a name share the calls. Ctrl-C "
      "ends it.");
  command->callback([options, &code] {
    const auto served = serve(*options);
    code = served ? succeeded : report("serve", served.error());
  });
}

}  // namespace tenon::cli
