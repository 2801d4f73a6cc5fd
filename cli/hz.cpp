/// tenon hz TOPIC [--interval SECONDS] [--count N] [--json]
#include <tenon/base/name.hpp>
#include <tenon/inspect/patterns/topics.hpp>
#include <tenon/os/clock.hpp>

#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/output_file.hpp>
#include <cli/say.hpp>
#include <cli/topic_end.hpp>
#include <cli/topic_text.hpp>

#include <fmt/core.h>

#include <memory>
#include <unistd.h>

namespace tenon::cli {

namespace {

using inspect::TopicPublisher;
using inspect::TopicStanding;
using inspect::TopicSubscriber;

struct HzOptions {
  TopicChoice choice;
  double interval = 1;
  std::uint64_t count = 0;
  bool json = false;
};

std::string sizes_text(const TopicPublisher& one) {
  if (!one.sizes) {
    return "nothing yet";
  }
  return one.sizes->least == one.sizes->most
             ? fmt::format("of {}", bytes_text(one.sizes->most))
             : fmt::format("of {} to {}, {} on the average", bytes_text(one.sizes->least), bytes_text(one.sizes->most),
                           bytes_text(one.sizes->mean));
}

std::string publisher_line(const TopicLooks& looks, const TopicPublisher& one) {
  return fmt::format("  publisher {}: {}/s {}, {} published, depth {}\n", process_text(one.pid, one.standing),
                     rate_text(looks.rate_of(one)), sizes_text(one), one.published, one.depth);
}

std::string row_text(const TopicLooks& looks, const TopicSubscriber& one, const TopicStanding& row) {
  const std::string held = one.max_held == 0 ? "" : fmt::format(", holds {} of {}", row.held, one.max_held);
  return fmt::format("{}/s, lag {}, {} received, {} lost{}", rate_text(looks.rate_of(one, row)), row.lag, row.received,
                     row.lost, held);
}

std::string subscriber_lines(const TopicLooks& looks, const TopicSubscriber& one) {
  const std::string who =
      fmt::format("  subscriber {}: {}{}", process_text(one.pid, one.standing), one.reliable ? "reliable" : "lossy",
                  one.waits_for ? fmt::format(", asleep for {:.3f} s", static_cast<double>(*one.waits_for) / 1e9) : "");
  std::string lines;
  for (const TopicStanding& row : one.standings) {
    const auto from = std::ranges::find(looks.now->publishers, row.publisher, &TopicPublisher::token);
    const std::string of = looks.now->publishers.size() == 1 || from == looks.now->publishers.end()
                               ? ""
                               : fmt::format(" from {}", from->pid);
    lines += fmt::format("{}{}: {}\n", who, of, row_text(looks, one, row));
  }
  return lines.empty() ? who + "\n" : lines;
}

std::string text_of(const TopicLooks& looks) {
  std::string text = fmt::format("{}: {} messages/s of {}\n", escaped(looks.now->name), rate_text(looks.rate()),
                                 escaped(looks.now->type()));
  for (const TopicPublisher& one : looks.now->publishers) {
    text += publisher_line(looks, one);
  }
  for (const TopicSubscriber& one : looks.now->subscribers) {
    text += subscriber_lines(looks, one);
  }
  return text;
}

// Nobody is there: in a domain, or in none.
Error nobody(const Error& error, const TopicChoice& choice) {
  const bool has_domain = ::access(choice.domain.c_str(), F_OK) == 0;
  return has_domain
             ? Error(Errc::not_found).on(choice.topic).because(std::string(error.detail()) + "; see tenon ls topics")
             : Error(Errc::not_found).on(choice.domain).because("there is no such domain; name one with --domain");
}

Result<inspect::Topics> look(const HzOptions& options) {
  auto seen = inspect::topic(options.choice.domain, options.choice.topic);
  if (seen.failed_with(Errc::not_found)) {
    return fail(nobody(seen.error(), options.choice));
  }
  if (seen && seen->topics.empty()) {
    return fail(Error(Errc::not_found)
                    .on(options.choice.topic)
                    .because("of nobody who takes part the file can be read: " + seen->unseen.front()));
  }
  return seen;
}

Result<void> show(const TopicLooks& looks, OutputFile& output, bool as_json) {
  nlohmann::json all = as_json ? json_of(looks) : nlohmann::json();
  if (as_json) {
    all["interval"] = looks.seconds;
  }
  const std::string text = as_json ? all.dump() + "\n" : text_of(looks);
  return output.write(bytes_of(text), step_deadline(0)).and_then([&] { return output.flush(step_deadline(0)); });
}

Result<void> hz(const HzOptions& options) {
  auto before = look(options);
  auto output = before ? OutputFile::open("-", immediately) : Result<OutputFile>(fail(std::move(before.error())));
  if (!output) {
    return fail(std::move(output.error()));
  }
  for (std::uint64_t shown = 0; options.count == 0 || shown < options.count; ++shown) {
    if (auto slept = sleep_until(step_deadline(options.interval)); slept.failed_with(Errc::stopped)) {
      return slept;
    }
    auto now = look(options);
    if (!now) {
      return fail(std::move(now.error()));
    }
    const TopicLooks looks{.now = &now->topics.front(),
                           .before = &before->topics.front(),
                           .seconds = static_cast<double>(now->at - before->at) / 1e9};
    if (auto told = show(looks, *output, options.json); !told) {
      return told;
    }
    for (const std::string& sentence : now->unseen) {
      say(fmt::format("tenon hz: not seen: {}\n", escaped(sentence)));
    }
    before = std::move(now);
  }
  return output->commit(step_deadline(0));
}

// Of 0 seconds there is no rate.
std::string interval(const std::string& text) {
  constexpr double least = 0.001;
  constexpr double most = 86400;
  double value = 0;
  const bool fits = seconds(text).empty() && CLI::detail::lexical_cast(text, value) && value >= least && value <= most;
  return fits ? "" : fmt::format("\"{}\" is not a number of seconds from {} to {}", escaped(text), least, most);
}

}  // namespace

void add_hz(CLI::App& program, int& code) {
  auto options = std::make_shared<HzOptions>();
  CLI::App* command = program.add_subcommand("hz", "Show a topic's rate, and how far its subscribers have come");
  add_topic(*command, options->choice);
  command->add_option("--interval", options->interval, "How long each look is from the last")
      ->check(interval)
      ->capture_default_str()
      ->type_name("SECONDS");
  command->add_option("--count", options->count, "End after so many intervals")->check(positive)->type_name("N");
  command->add_flag("--json", options->json, "Print an object for each interval, one a line; docs/tools.md");
  command->footer(
      "Example:\n"
      "  tenon hz pose --interval 5\n"
      "It does not subscribe: nobody waits for it, and nothing is held.");
  command->callback([options, &code] {
    const auto shown = hz(*options);
    code = shown ? succeeded : report("hz", shown.error());
  });
}

}  // namespace tenon::cli
