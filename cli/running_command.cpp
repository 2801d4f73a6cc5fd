#include <cli/running_command.hpp>

#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/os/poll.hpp>

#include <csignal>
#include <unistd.h>

namespace tenon::cli {

Result<std::unique_ptr<RunningCommand>> RunningCommand::start(const std::vector<std::string>& command, Errors errors) {
  auto in = Pipe::pair();
  auto out = in ? Pipe::pair() : Result<Pipe>(fail(std::move(in.error())));
  auto err = out ? Pipe::pair() : Result<Pipe>(fail(std::move(out.error())));
  if (!err) {
    return fail(std::move(err.error()));
  }
  ProgramOptions options{.descriptors = {{in->reader.fd(), STDIN_FILENO}, {out->writer.fd(), STDOUT_FILENO}},
                         .group = ProcessGroup::own};
  if (errors == Errors::held) {
    options.descriptors.emplace_back(err->writer.fd(), STDERR_FILENO);
  }
  const bool is_script = command.size() == 1;
  auto child = is_script ? spawn_program("sh", {"-c", command.front()}, options)
                         : spawn_program(command.front(), {command.begin() + 1, command.end()}, options);
  return std::move(child).transform([&](Child started) {
    std::unique_ptr<RunningCommand> running(new RunningCommand(std::move(started)));
    running->input = std::move(*in).into_writer();
    running->output = std::move(*out).into_reader();
    running->errors = errors == Errors::held ? std::optional(std::move(*err).into_reader()) : std::nullopt;
    return running;
  });
}

RunningCommand::~RunningCommand() {
  if (!reaped_) {
    end_group();
    [[maybe_unused]] const auto reaped = child_.wait(never);
  }
}

// Before the command itself is reaped: until then nobody else's group can have its number.
void RunningCommand::end_group() const noexcept { ::kill(-child_.pid(), SIGKILL); }

Result<ExitStatus> RunningCommand::wait(Deadline deadline) {
  if (!reaped_) {
    if (auto ended = wait_ready(child_.fd(), Ready::reading, deadline); !ended) {
      return fail(std::move(ended.error()));
    }
    end_group();
    reaped_ = true;
  }
  return child_.wait(never);
}

}  // namespace tenon::cli
