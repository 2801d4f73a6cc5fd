#include "command.hpp"

#include <array>
#include <csignal>
#include <unistd.h>

namespace transfer {

using namespace tenon;

namespace {

std::string read_to_end(std::optional<ReadEnd>& end, kit::Duration limit) {
  std::string text;
  std::array<std::byte, 4096> part;
  while (const std::size_t got = end ? end->read(part, after(kit::patient(limit))).or_throw() : 0) {
    text += text_of(Bytes(part).first(got));
  }
  return text;
}

}  // namespace

Command::Command(const std::vector<std::string>& arguments, std::optional<Fd> input, std::optional<Fd> output,
                 std::optional<Fd> errors)
    : Command(Program{.path = TENON_PROGRAM, .arguments = arguments},
              Streams{.input = std::move(input), .output = std::move(output), .errors = std::move(errors)}) {}

Command Command::by_shell(const std::string& script, const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {"-c", script, "sh", TENON_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Command(Program{.path = "sh", .arguments = std::move(all)}, {});
}

Child Command::start(const Program& program, Streams streams) {
  Pipe in = Pipe::pair().or_throw();
  Pipe out = Pipe::pair().or_throw();
  Pipe err = Pipe::pair().or_throw();
  const FdView stdin_fd = streams.input ? streams.input->view() : in.reader.fd();
  const FdView stdout_fd = streams.output ? streams.output->view() : out.writer.fd();
  const FdView stderr_fd = streams.errors ? streams.errors->view() : err.writer.fd();
  Child child =
      spawn_program(program.path, program.arguments,
                    {.descriptors = {{stdin_fd, STDIN_FILENO}, {stdout_fd, STDOUT_FILENO}, {stderr_fd, STDERR_FILENO}}})
          .or_throw();
  if (!streams.input) {
    input_ = std::move(in).into_writer();
  }
  if (!streams.output) {
    output_ = std::move(out).into_reader();
  }
  if (!streams.errors) {
    errors_ = std::move(err).into_reader();
  }
  return child;
}

Command::~Command() {
  if (!finished_) {
    [[maybe_unused]] const auto killed = child_.signal(SIGKILL);
    [[maybe_unused]] const auto reaped = child_.wait(never);
  }
}

void Command::signal(int number) { child_.signal(number).or_throw(); }

std::optional<std::size_t> Command::try_read_output(MutableBytes into) {
  const auto got = output_->read(into, after(std::chrono::milliseconds(1)));
  return got && *got > 0 ? std::optional(*got) : std::nullopt;
}

Finished Command::finish(kit::Duration limit) {
  Finished all{.status = ExitStatus::exited(0), .output = {}, .errors = {}};
  all.output = read_to_end(output_, limit);
  all.errors = read_to_end(errors_, limit);
  all.status = child_.wait(after(kit::patient(limit))).or_throw();
  finished_ = true;
  return all;
}

}  // namespace transfer
