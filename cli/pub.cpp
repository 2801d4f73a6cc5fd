/// tenon pub TOPIC [--json | --file F] [--type TYPE] [--rate N] [--count N] [--subscribers N]
#include <tenon/inspect/patterns/topics.hpp>
#include <tenon/messaging/topic/dynamic_publisher.hpp>
#include <tenon/os/clock.hpp>

#include <cli/command.hpp>
#include <cli/input.hpp>
#include <cli/interrupt.hpp>
#include <cli/topic_end.hpp>
#include <cli/value_text.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <unistd.h>

namespace tenon::cli {

namespace {

struct PubOptions {
  TopicChoice choice;
  std::string file;
  bool json = false;
  double rate = 0;
  std::uint64_t count = 0;
  std::uint64_t subscribers = 0;
  std::uint64_t longest = 0;
  double timeout = 0;
};

/// So many messages a second, the first at once. One that was late is not made up for.
class Pace {
 public:
  explicit Pace(double rate)
      : between_(std::chrono::duration_cast<Deadline::Clock::duration>(
            std::chrono::duration<double>(rate > 0 ? 1 / rate : 0))) {}

  /// Outcomes: stopped.
  Result<void> await() {
    if (interrupt().requested()) {
      return fail(Errc::stopped);
    }
    if (between_.count() == 0) {
      return {};
    }
    const auto now = Deadline::Clock::now();
    // From now on, where it is late by a whole turn.
    const bool begins_anew = !next_ || now - *next_ > between_;
    const auto due = begins_anew ? now : *next_;
    next_ = due + between_;
    auto slept = sleep_until(Deadline::at(due).or_stop(interrupt()));
    return slept.failed_with(Errc::timed_out) ? Result<void>() : slept;
  }

 private:
  Deadline::Clock::duration between_;
  std::optional<Deadline::Clock::time_point> next_;
};

/// Where messages go, at their pace, as many as are wanted.
class Outlet {
 public:
  Outlet(DynamicPublisher& publisher, const PubOptions& options)
      : publisher_(publisher), options_(options), pace_(options.rate) {}

  bool has_all() const noexcept { return options_.count != 0 && sent_ == options_.count; }
  Result<void> publish(Bytes message) {
    if (auto due = pace_.await(); !due) {
      return due;
    }
    ++sent_;
    auto published = publisher_.publish(message, step_deadline(options_.timeout));
    return published ? std::move(published) : fail(with_remedy(std::move(published.error()), message.size()));
  }

 private:
  Error with_remedy(Error error, std::size_t bytes) const {
    const std::string& topic = options_.choice.topic;
    if (error == Errc::message_too_long) {
      return Error(Errc::message_too_long)
          .on(topic)
          .because(fmt::format("a message of {} bytes; make room for it with --longest", bytes));
    }
    return error == Errc::invalid_argument
               ? Error(Errc::type_mismatch)
                     .on(topic)
                     .because(fmt::format("{} bytes are no message of this topic's type; see tenon ls topics", bytes))
               : std::move(error);
  }

  DynamicPublisher& publisher_;
  const PubOptions& options_;
  Pace pace_;
  std::uint64_t sent_ = 0;
};

Error in_line(Error error, const InputLines& lines) {
  return std::move(error).on(fmt::format("line {}", lines.number()));
}

// `message_of` makes a message of a line, which it may keep until the next one.
template <class MessageOf>
Result<void> publish_lines(Outlet& outlet, const PubOptions& options, MessageOf message_of) {
  auto input = open_input("-");
  if (!input) {
    return fail(std::move(input.error()));
  }
  InputLines lines(std::move(*input));
  while (!outlet.has_all()) {
    const auto line = lines.next(step_deadline(options.timeout));
    if (line.failed_with(Errc::closed)) {
      return {};
    }
    if (!line) {
      return fail(step_failure(Error(line.error()), "standard input", "nothing has come", options.timeout));
    }
    if (options.json && line->find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;  // a line of bytes may be empty, one of JSON says nothing then
    }
    const auto message = message_of(*line);
    auto published = message ? outlet.publish(Bytes(*message)) : fail(Error(message.error()));
    if (published.failed_with(Errc::stopped)) {
      return published;
    }
    if (!published) {
      return fail(in_line(std::move(published.error()), lines));
    }
  }
  return {};
}

Result<void> publish_json(Outlet& outlet, const PubOptions& options, const ValueText& values) {
  return publish_lines(outlet, options, [&](std::string_view line) { return values.bytes_of(line); });
}

Result<void> publish_text(Outlet& outlet, const PubOptions& options) {
  return publish_lines(outlet, options, [](std::string_view line) { return Result<Bytes>(bytes_of(line)); });
}

Result<std::vector<std::byte>> read_whole(const std::string& path) {
  const auto input = open_input(path);
  if (!input) {
    return fail(Error(input.error()));
  }
  constexpr std::size_t piece = 1 << 20;
  std::vector<std::byte> whole;
  while (true) {
    const std::size_t before = whole.size();
    whole.resize(before + piece);
    const auto got = read_input(input->view(), MutableBytes(whole).subspan(before));
    whole.resize(before + got.value_or(0));
    if (!got || *got == 0) {
      return got ? Result<std::vector<std::byte>>(std::move(whole)) : fail(Error(got.error()).on(path));
    }
  }
}

// Once, or as often as was asked for.
Result<void> publish_file(Outlet& outlet, Bytes content) {
  do {
    if (auto published = outlet.publish(content); !published) {
      return published;
    }
  } while (!outlet.has_all());
  return {};
}

// Who has met this publisher: one that is there and has not may begin behind the next message.
std::size_t met_by(const TopicChoice& choice) {
  const auto seen = inspect::topic(choice.domain, choice.topic);
  if (!seen || seen->topics.empty()) {
    return 0;
  }
  const auto& all = seen->topics.front();
  const auto is_own = [&](const inspect::TopicStanding& row) {
    const auto of = std::ranges::find(all.publishers, row.publisher, &inspect::TopicPublisher::token);
    return of != all.publishers.end() && of->pid == ::getpid();
  };
  return static_cast<std::size_t>(std::ranges::count_if(all.subscribers, [&](const inspect::TopicSubscriber& one) {
    return one.standing == inspect::EndpointStanding::alive && std::ranges::any_of(one.standings, is_own);
  }));
}

Result<void> await_subscribers(const PubOptions& options) {
  constexpr auto between_looks = std::chrono::milliseconds(5);
  const Deadline deadline = step_deadline(options.timeout);
  while (options.subscribers != 0) {
    const std::size_t there = met_by(options.choice);
    if (there >= options.subscribers) {
      return {};
    }
    if (deadline.passed()) {
      return fail(Error(Errc::timed_out)
                      .on(options.choice.topic)
                      .because(fmt::format("{} of {} subscribers have come within {} s", there, options.subscribers,
                                           options.timeout)));
    }
    if (auto slept = sleep_until(deadline.or_sooner(after(between_looks))); slept.failed_with(Errc::stopped)) {
      return slept;
    }
  }
  return {};
}

Result<DynamicType> type_for(const PubOptions& options) {
  if (!options.choice.type.empty() && !options.json && options.file.empty()) {
    return fail(Error(Errc::invalid_argument)
                    .on(options.choice.type)
                    .because("--type says what JSON or a file is; a line is bytes: give --json, or leave --type out"));
  }
  if (options.json) {
    return type_of(options.choice);
  }
  // A file is a message of whatever the topic has; where nobody is, it is bytes.
  auto type = options.file.empty() ? Result<DynamicType>(type_of_bytes()) : type_of(options.choice);
  return type.failed_with(Errc::not_found) ? Result<DynamicType>(type_of_bytes()) : type;
}

Error with_remedy(Error error, const PubOptions& options) {
  const bool helps = error == Errc::type_mismatch && !options.json && options.file.empty();
  const std::string detail = std::string(error.detail()) + "; give its fields with --json";
  return helps ? std::move(error).because(detail) : error;
}

Result<void> pub(PubOptions options) {
  std::vector<std::byte> content;
  if (!options.file.empty()) {
    auto read = read_whole(options.file);
    if (!read) {
      return fail(std::move(read.error()));
    }
    content = std::move(*read);
    options.count = std::max<std::uint64_t>(options.count, 1);
  }
  interrupt();  // from here on a signal leaves nothing behind
  const auto type = type_for(options);
  auto values = type ? ValueText::of(type->stored()) : Result<ValueText>(fail(Error(type.error())));
  auto member = values ? join(options.choice) : Result<Membership>(fail(std::move(values.error())));
  if (!member) {
    return fail(std::move(member.error()));
  }
  const std::uint64_t wanted = std::max<std::uint64_t>(options.longest, content.size());
  auto publisher =
      DynamicPublisher::create(member->holder, options.choice.topic, *type,
                               {.longest = wanted == 0 ? 0 : (wanted + type->bytes() - 1) / type->bytes()});
  if (!publisher) {
    return fail(with_remedy(std::move(publisher.error()), options));
  }
  Outlet outlet(*publisher, options);
  return await_subscribers(options).and_then([&] {
    return !options.file.empty() ? publish_file(outlet, content)
           : options.json        ? publish_json(outlet, options, *values)
                                 : publish_text(outlet, options);
  });
}

void add_options(CLI::App& command, PubOptions& options) {
  add_topic(command, options.choice);
  add_type(command, options.choice);
  auto* const json = command.add_flag("--json", options.json, "Each line is the JSON of a message, {\"x\": 1.5, …}");
  command.add_option("--file", options.file, "The content of this file is one message")
      ->type_name("FILE")
      ->excludes(json);
  command.add_option("--rate", options.rate, "So many messages a second, and not as fast as they come")
      ->check(rate)
      ->type_name("N");
  command.add_option("--count", options.count, "End after so many messages; of --file, so many times the same")
      ->check(positive)
      ->type_name("N");
  command.add_option("--subscribers", options.subscribers, "Begin when so many are there")
      ->check(positive)
      ->type_name("N");
  command.add_option("--longest", options.longest, "Bytes of the longest message of variable length; 65536 without it")
      ->check(positive)
      ->type_name("BYTES");
  command.add_option("--timeout", options.timeout, "Give up when nothing moves for that long; 0 is never")
      ->check(seconds)
      ->type_name("SECONDS");
}

}  // namespace

void add_pub(CLI::App& program, int& code) {
  auto options = std::make_shared<PubOptions>();
  CLI::App* command = program.add_subcommand("pub", "Publish lines, JSON or a file on a topic");
  add_options(*command, *options);
  command->footer(
      "Example:\n"
      "  echo '{\"x\": 1.5, \"y\": 2, \"heading\": 0.1}' | tenon pub pose --json --type 'Pose{f64 x, f64 y, f32 "
      "heading}'\n"
      "Without --json each line is a message of bytes. Who is not there when a message is published does not get it.");
  command->callback([options, &code] {
    const auto published = pub(*options);
    code = published ? succeeded : report("pub", published.error());
  });
}

}  // namespace tenon::cli
