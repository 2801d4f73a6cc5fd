/// tenon call SERVICE [TEXT|-] [--lines] [--json] [--timeout SECONDS]
#include <tenon/os/clock.hpp>
#include <tenon/os/poll.hpp>

#include <cli/command.hpp>
#include <cli/input.hpp>
#include <cli/interrupt.hpp>
#include <cli/output_file.hpp>
#include <cli/service_end.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <span>
#include <unistd.h>

namespace tenon::cli {

namespace {

using nlohmann::json;

struct CallOptions {
  ServiceChoice choice;
  std::string text = "-";
  bool lines = false;
  bool as_json = false;
  double timeout = 5;
};

constexpr std::size_t longest_request = std::size_t{256} << 20;
constexpr std::size_t least_room = 65536;  // for requests whose lengths are not known yet
constexpr std::size_t longest_line = 1 << 20;

// Whatever the library has to say of it: people know what they waited for.
Error late(Error error, std::string_view missing, const CallOptions& options) {
  return error == Errc::timed_out
             ? step_failure(Error(Errc::timed_out), options.choice.service, missing, options.timeout)
             : error;
}

Error explained(Error error, const PendingCall<Bytes>& call, const CallOptions& options) {
  if (const Refusal* const refusal = call.refusal(); refusal != nullptr) {
    return Error(Errc::aborted)
        .on(options.choice.service)
        .because(fmt::format("the server, pid {}, says: {} ({})", call.server(), refusal->text, refusal->code));
  }
  if (error == Errc::closed || error == Errc::peer_died) {
    return Error(error.code())
        .on(options.choice.service)
        .because(fmt::format("the server, pid {}, {} {}", call.server(), error == Errc::closed ? "left" : "died",
                             call.may_have_been_seen() ? "before it had answered: it may have begun"
                                                       : "before it had seen the request"));
  }
  return late(std::move(error), "no whole answer has come", options);
}

Error not_begun(Error error, ByteClient& client, const CallOptions& options) {
  if (error == Errc::timed_out && client.servers() == 0) {
    return Error(Errc::timed_out)
        .on(options.choice.service)
        .because(fmt::format("no server has come within {} s; start one with tenon serve {} -- COMMAND",
                             options.timeout, options.choice.service));
  }
  return late(std::move(error), "no server had time for it", options);
}

/// What is made of an answer: it is shown as it comes, or kept to be shown whole.
struct Answer {
  std::string bytes;
  std::uint64_t parts = 0;
  pid_t server = 0;
};

template <class Show>
Result<Answer> call_once(ByteClient& client, Bytes request, const CallOptions& options, Show show) {
  const Deadline deadline = step_deadline(options.timeout);
  auto call = client.begin(request, deadline);
  if (!call) {
    return fail(not_begun(std::move(call.error()), client, options));
  }
  Answer answer{.bytes = {}, .parts = 0, .server = call->server()};
  while (true) {
    auto part = call->receive(deadline);
    if (!part) {
      return fail(explained(std::move(part.error()), *call, options));
    }
    if (!*part) {
      return answer;
    }
    ++answer.parts;
    if (auto shown = show(answer, Bytes(***part)); !shown) {
      return fail(std::move(shown.error()));
    }
    if ((*part)->is_last()) {
      return answer;
    }
  }
}

Result<void> keep(Answer& answer, Bytes part) {
  answer.bytes += text_of(part);
  return {};
}

// What is no UTF-8 has no place in JSON: it is there byte by byte.
json json_of(const Answer& answer, const CallOptions& options, double seconds) {
  json whole = {{"service", options.choice.service}, {"server", answer.server}, {"parts", answer.parts},
                {"bytes", answer.bytes.size()},      {"seconds", seconds},      {"response", answer.bytes},
                {"response_bytes", nullptr}};
  try {
    static_cast<void>(whole.dump());
  } catch (const json::type_error&) {
    whole["response"] = nullptr;
    whole["response_bytes"] = json::array();
    for (const char byte : answer.bytes) {
      whole["response_bytes"].push_back(static_cast<unsigned char>(byte));
    }
  }
  return whole;
}

Result<void> show_json(ByteClient& client, Bytes request, OutputFile& output, const CallOptions& options) {
  const std::int64_t begun = monotonic_now();
  return call_once(client, request, options, keep).and_then([&](const Answer& answer) {
    const double seconds = static_cast<double>(monotonic_now() - begun) / 1e9;
    return output.write(bytes_of(json_of(answer, options, seconds).dump() + "\n"), step_deadline(options.timeout));
  });
}

Result<void> show_line(ByteClient& client, Bytes request, OutputFile& output, const CallOptions& options) {
  return call_once(client, request, options, keep).and_then([&](const Answer& answer) {
    return output.write(bytes_of(answer.bytes + "\n"), step_deadline(options.timeout));
  });
}

// As it is, and on a terminal on a line of its own.
Result<void> show_as_it_comes(ByteClient& client, Bytes request, OutputFile& output, const CallOptions& options) {
  char last = '\n';
  const auto show = [&](Answer&, Bytes part) {
    last = part.empty() ? last : text_of(part).back();
    return output.write(part, step_deadline(options.timeout)).and_then([&] {
      return output.flush(step_deadline(options.timeout));
    });
  };
  return call_once(client, request, options, show).and_then([&](const Answer&) {
    return last == '\n' || ::isatty(STDOUT_FILENO) == 0 ? Result<void>()
                                                        : output.write(bytes_of("\n"), step_deadline(options.timeout));
  });
}

Result<std::string> whole_input() {
  auto input = open_input("-");
  if (!input) {
    return fail(std::move(input.error()));
  }
  std::string text;
  while (text.size() <= longest_request) {
    const std::size_t before = text.size();
    text.resize(before + least_room);
    auto ready = wait_ready(input->view(), Ready::reading, step_deadline(0));
    auto got = ready ? read_input(input->view(), std::as_writable_bytes(std::span(text)).subspan(before))
                     : Result<std::size_t>(fail(std::move(ready.error())));
    text.resize(before + got.value_or(0));
    if (!got || *got == 0) {
      return got ? Result<std::string>(std::move(text)) : fail(std::move(got.error()));
    }
  }
  return fail(Error(Errc::message_too_long, "call").because("a request has 256 MiB at most"));
}

Result<void> call_for_each_line(ByteClient& client, OutputFile& output, const CallOptions& options) {
  auto input = open_input("-");
  if (!input) {
    return fail(std::move(input.error()));
  }
  InputLines lines(std::move(*input));
  while (true) {
    const auto line = lines.next(step_deadline(0));
    if (!line) {
      return line.failed_with(Errc::closed) ? Result<void>() : fail(Error(line.error()));
    }
    auto shown = options.as_json ? show_json(client, bytes_of(*line), output, options)
                                 : show_line(client, bytes_of(*line), output, options);
    shown = shown ? output.flush(step_deadline(options.timeout)) : std::move(shown);
    if (!shown) {
      return shown;
    }
  }
}

Result<void> call(const CallOptions& options) {
  interrupt();  // from here on a signal leaves nothing behind
  auto request = options.lines         ? Result<std::string>(std::string())
                 : options.text == "-" ? whole_input()
                                       : Result<std::string>(options.text);
  auto member = request ? join(options.choice) : Result<Membership>(fail(std::move(request.error())));
  auto output = member ? OutputFile::open("-", immediately) : Result<OutputFile>(fail(std::move(member.error())));
  if (!output) {
    return fail(std::move(output.error()));
  }
  // One call needs room for one request alone.
  const ClientOptions room =
      options.lines ? ClientOptions{.max_calls = 1, .longest = longest_line, .max_loans = 1}
                    : ClientOptions{.max_calls = 1, .longest = std::max(request->size(), least_room), .max_loans = 1};
  auto client = ByteClient::create(member->holder, options.choice.service, room);
  if (!client) {
    return fail(std::move(client.error()));
  }
  auto called = options.lines     ? call_for_each_line(*client, *output, options)
                : options.as_json ? show_json(*client, bytes_of(*request), *output, options)
                                  : show_as_it_comes(*client, bytes_of(*request), *output, options);
  return called ? output->commit(step_deadline(options.timeout)) : called;
}

}  // namespace

void add_call(CLI::App& program, int& code) {
  auto options = std::make_shared<CallOptions>();
  CLI::App* command = program.add_subcommand("call", "Call a service, and print its response");
  add_service(*command, options->choice);
  auto* const text =
      command->add_option("TEXT", options->text, "The request; - is standard input")->capture_default_str();
  command->add_flag("--lines", options->lines, "Each line of standard input is a request, each response a line")
      ->excludes(text);
  command->add_flag("--json", options->as_json, "Print {response, …}; docs/tools.md has the schema");
  command->add_option("--timeout", options->timeout, "Give up when no whole answer has come by then; 0 is never")
      ->check(seconds)
      ->capture_default_str()
      ->type_name("SECONDS");
  command->footer(
      "Example, in two terminals, in either order:\n"
      "  tenon serve upper -- tr a-z A-Z\n"
      "  tenon call upper hello\n"
      "It waits for a server to come. Where the service answers with an error, or its server dies, the exit code is "
      "1.");
  command->callback([options, &code] {
    const auto called = call(*options);
    code = called ? succeeded : report("call", called.error());
  });
}

}  // namespace tenon::cli
