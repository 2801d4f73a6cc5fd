#include <cli/answer_by_command.hpp>

#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>

#include <cli/interrupt.hpp>
#include <cli/say.hpp>

#include <algorithm>
#include <array>

namespace tenon::cli {

namespace {

constexpr std::size_t kept_of_errors = 4096;
constexpr int killed_by = 128;  // as shells count: what a signal ends has the code 128 + its number

// Its client is told, or waits no more.
bool is_no_news(const Error& error) {
  return error == Errc::aborted || error == Errc::timed_out || error == Errc::closed || error == Errc::peer_died;
}

Result<void> said_of(Result<void> responded) {
  if (!responded && !is_no_news(responded.error()) && !responded.failed_with(Errc::stopped)) {
    say("tenon serve: " + on_one_line(responded.error().message()) + "\n");
    return {};
  }
  return responded.failed_with(Errc::stopped) ? responded : Result<void>();
}

}  // namespace

Result<void> respond_whole(ByteCall call, Bytes response) {
  for (; response.size() > longest_part; response = response.subspan(longest_part)) {
    if (auto sent = call.send(response.first(longest_part), never.or_stop(interrupt())); !sent) {
      return said_of(std::move(sent));
    }
  }
  return said_of(std::move(call).respond(response));
}

// Until something comes, there is room, it has ended, or it is time to ask whether anybody still waits.
Result<void> AnswerByCommand::wait() {
  std::vector<PollItem> items{{.fd = command_.fd()}};
  if (command_.input) {
    items.push_back({.fd = command_.input->fd(), .wanted = Ready::writing});
  }
  if (command_.output) {
    items.push_back({.fd = command_.output->fd()});
  }
  if (command_.errors) {
    items.push_back({.fd = command_.errors->fd()});
  }
  const bool ended = command_.has_ended();
  const std::span<PollItem> looked_at = std::span(items).subspan(ended ? 1 : 0);
  auto waited = wait_any(looked_at, after(recheck_interval).or_stop(interrupt()));
  idle_ = waited.failed_with(Errc::timed_out);
  return idle_ ? Result<void>() : waited;
}

void AnswerByCommand::feed() {
  const Bytes rest = Bytes(*call_.request()).subspan(fed_);
  if (command_.input && !rest.empty()) {
    const auto written = command_.input->try_write(rest);
    fed_ += written.value_or(0);
    if (!written && !written.failed_with(Errc::would_block)) {
      command_.input.reset();  // it reads no more: that is its own affair
    }
  }
  if (fed_ == call_.request().size()) {
    command_.input.reset();
  }
}

// Whether there may be more at once.
bool AnswerByCommand::take_output() {
  const std::size_t before = part_.size();
  part_.resize(longest_part);
  const auto got = command_.output->try_read(MutableBytes(part_).subspan(before));
  part_.resize(before + got.value_or(0));
  if (got ? *got == 0 : !got.failed_with(Errc::would_block)) {
    command_.output.reset();
  }
  return got && *got != 0;
}

void AnswerByCommand::take_errors() {
  std::array<std::byte, kept_of_errors> bytes{};
  while (command_.errors) {
    const auto got = command_.errors->try_read(bytes);
    if (got && *got != 0) {
      const std::string_view text = text_of(Bytes(bytes).first(*got));
      say(text);
      said_ += text;
      said_.erase(0, said_.size() - std::min(said_.size(), kept_of_errors));
      continue;
    }
    if (got || !got.failed_with(Errc::would_block)) {
      command_.errors.reset();
    }
    return;
  }
}

// Whether its client still takes them.
bool AnswerByCommand::send_part() {
  auto sent = call_.send(part_, never.or_stop(interrupt()));
  part_.clear();
  return sent || sent.failed_with(Errc::stopped);
}

// Whether it goes on.
Result<bool> AnswerByCommand::step() {
  if (auto waited = wait(); !waited) {
    return fail(std::move(waited.error()));
  }
  feed();
  take_errors();
  while (wanted_ && command_.output && take_output()) {
    wanted_ = part_.size() < longest_part || send_part();
  }
  if (wanted_ && idle_ && !part_.empty()) {
    wanted_ = send_part();  // who waits for the rest sees what is there
  }
  wanted_ = wanted_ && !call_.is_cancelled();
  const bool ended = command_.has_ended();
  return wanted_ && (command_.output || !ended);
}

std::string AnswerByCommand::last_words(const ExitStatus& status) const {
  std::string_view text = said_;
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  const std::size_t line = text.find_last_of('\n');
  text = line == std::string_view::npos ? text : text.substr(line + 1);
  return text.empty() ? "the command " + status.message() : std::string(text);
}

void AnswerByCommand::end() {
  take_errors();
  const auto status = command_.wait(never);
  if (status && !status->success()) {
    const int code = status->signal() != 0 ? killed_by + status->signal() : status->code();
    [[maybe_unused]] const auto told = said_of(std::move(call_).refuse(code, last_words(*status)));
  } else {
    [[maybe_unused]] const auto told = said_of(std::move(call_).respond(part_));
  }
}

Result<void> AnswerByCommand::run() && {
  while (true) {
    auto goes_on = step();
    if (!goes_on) {
      return fail(std::move(goes_on.error()));
    }
    if (!*goes_on) {
      break;
    }
  }
  if (wanted_) {
    end();
  }
  return {};
}

}  // namespace tenon::cli
