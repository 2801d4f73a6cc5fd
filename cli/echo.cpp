/// tenon echo TOPIC [--json | --hex] [--count N] [--type TYPE]
#include <tenon/messaging/topic/dynamic_subscriber.hpp>

#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/output_file.hpp>
#include <cli/say.hpp>
#include <cli/topic_end.hpp>
#include <cli/value_text.hpp>

#include <fmt/core.h>

#include <memory>

namespace tenon::cli {

namespace {

struct EchoOptions {
  TopicChoice choice;
  bool json = false;
  bool hex = false;
  std::uint64_t count = 0;
  double timeout = 0;
};

// Two digits a byte, eight bytes apart.
std::string hex_text(Bytes bytes) {
  constexpr std::size_t together = 8;
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text += fmt::format("{}{:02x}", i != 0 && i % together == 0 ? " " : "", static_cast<unsigned>(bytes[i]));
  }
  return text;
}

Result<std::string> line_of(const DynamicMessage& message, const ValueText& values, const EchoOptions& options) {
  auto text = options.hex    ? Result<std::string>(hex_text(message.bytes))
              : options.json ? values.json(message.bytes)
                             : values.text(message.bytes);
  return std::move(text).transform([](std::string line) { return std::move(line) + "\n"; });
}

// What is no message and no reason to end: somebody else's end.
bool say_end(const Error& error) {
  const bool closed = error == Errc::closed;
  if (closed || error == Errc::peer_died) {
    say(closed ? "tenon echo: a publisher has closed\n" : "tenon echo: a publisher died\n");
  }
  return closed || error == Errc::peer_died;
}

void say_gap(const DynamicMessage& message) {
  if (message.lost_before != 0) {
    say(fmt::format("tenon echo: lost {} messages of publisher {}\n", message.lost_before, message.publisher));
  }
}

Result<void> echo_all(DynamicSubscriber& subscriber, const ValueText& values, OutputFile& output,
                      const EchoOptions& options) {
  for (std::uint64_t shown = 0; options.count == 0 || shown < options.count;) {
    if (interrupt().requested()) {  // who has always more to receive, and writes to a file, waits nowhere
      return fail(Errc::stopped);
    }
    auto message = subscriber.receive(immediately);
    if (message.failed_with(Errc::timed_out)) {  // what has come is shown before one waits for more
      if (auto flushed = output.flush(step_deadline(options.timeout)); !flushed) {
        return flushed;
      }
      message = subscriber.receive(step_deadline(options.timeout));
    }
    if (!message && say_end(message.error())) {
      continue;
    }
    if (!message) {
      return fail(
          step_failure(std::move(message.error()), options.choice.topic, "nothing was published", options.timeout));
    }
    say_gap(*message);
    auto written = line_of(*message, values, options).and_then([&](const std::string& line) {
      return output.write(bytes_of(line), step_deadline(options.timeout));
    });
    if (!written) {
      return written;
    }
    ++shown;
  }
  return output.commit(step_deadline(options.timeout));
}

Result<void> echo(const EchoOptions& options) {
  interrupt();  // from here on a signal leaves nothing behind
  const auto type = type_of(options.choice);
  auto values = type ? ValueText::of(type->stored()) : Result<ValueText>(fail(Error(type.error())));
  auto member = values ? join(options.choice) : Result<Membership>(fail(std::move(values.error())));
  auto output = member ? OutputFile::open("-", immediately) : Result<OutputFile>(fail(std::move(member.error())));
  if (!output) {
    return fail(std::move(output.error()));
  }
  auto subscriber =
      DynamicSubscriber::create(member->holder, options.choice.topic, *type, {.reliable = false, .max_held = 1});
  return subscriber ? echo_all(*subscriber, *values, *output, options) : fail(std::move(subscriber.error()));
}

}  // namespace

void add_echo(CLI::App& program, int& code) {
  auto options = std::make_shared<EchoOptions>();
  CLI::App* command = program.add_subcommand("echo", "Print what is published on a topic");
  add_topic(*command, options->choice);
  add_type(*command, options->choice);
  auto* const json = command->add_flag("--json", options->json, "Print each message as JSON, one a line");
  command->add_flag("--hex", options->hex, "Print each message's bytes")->excludes(json);
  command->add_option("--count", options->count, "End after so many messages")->check(positive)->type_name("N");
  command->add_option("--timeout", options->timeout, "Give up when nothing comes for that long; 0 is never")
      ->check(seconds)
      ->type_name("SECONDS");
  command->footer(
      "Example:\n"
      "  tenon echo pose --json --count 10\n"
      "No publisher ever waits for it. What it is too slow for it says on standard error.");
  command->callback([options, &code] {
    const auto echoed = echo(*options);
    code = echoed ? succeeded : report("echo", echoed.error());
  });
}

}  // namespace tenon::cli
