/// tenon gc [--mechanism KIND]… [--apply] [--likely] [--all] [--json]
#include <tenon/base/name.hpp>
#include <tenon/os/domain.hpp>

#include <cli/columns.hpp>
#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/leftover_row.hpp>
#include <cli/output_file.hpp>
#include <cli/say.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace tenon::cli {

namespace {

using inspect::LeftoverVerdict;
using nlohmann::json;

struct GcOptions {
  LeftoverChoice choice{.kinds = {}, .directories = {}, .domain = Domain::path_of_environment()};
  bool apply = false;
  bool likely = false;
  bool all = false;
  bool json = false;
};

// What has become of a row: nothing in a dry run.
struct Outcome {
  bool removed = false;
  std::string failure;
};

bool is_chosen(const LeftoverRow& row, const GcOptions& options) {
  return row.judgement.verdict == LeftoverVerdict::left_over ||
         (options.likely && row.judgement.verdict == LeftoverVerdict::likely);
}

// Who comes second finds nothing, and that is what was asked for.
Outcome apply_to(const LeftoverList& list, const LeftoverRow& row) {
  const auto removed = remove_leftover(list, row);
  const bool done = removed || removed.failed_with(Errc::not_found);
  return {.removed = done, .failure = done ? "" : on_one_line(removed.error().message())};
}

std::vector<Outcome> apply(const LeftoverList& list, const GcOptions& options) {
  std::vector<Outcome> outcomes(list.rows.size());
  for (std::size_t i = 0; options.apply && i < list.rows.size(); ++i) {
    if (!is_chosen(list.rows[i], options)) {
      continue;
    }
    if (interrupt().requested()) {
      outcomes[i].failure = "stopped before it was its turn";
      continue;
    }
    outcomes[i] = apply_to(list, list.rows[i]);
  }
  return outcomes;
}

std::size_t count_of(const LeftoverList& list, LeftoverVerdict verdict) {
  return static_cast<std::size_t>(
      std::ranges::count(list.rows, verdict, [](const LeftoverRow& row) { return row.judgement.verdict; }));
}

std::string standing_of(const LeftoverRow& row, const Outcome& outcome) {
  if (!outcome.failure.empty()) {
    return "stays";
  }
  switch (row.judgement.verdict) {
    case LeftoverVerdict::left_over:
      return outcome.removed ? "removed" : "left over";
    case LeftoverVerdict::likely:
      return outcome.removed ? "removed" : "likely";
    default:
      return "not judged";
  }
}

std::string summary(const LeftoverList& list, const GcOptions& options, const std::vector<Outcome>& outcomes) {
  const auto removed = std::ranges::count(outcomes, true, &Outcome::removed);
  const std::size_t sure = count_of(list, LeftoverVerdict::left_over);
  const std::size_t likely = count_of(list, LeftoverVerdict::likely);
  const std::size_t open = count_of(list, LeftoverVerdict::unjudged);
  std::string text = options.apply ? fmt::format("{} removed", removed)
                                   : fmt::format("{} left over{}", sure, sure > 0 ? "; --apply removes" : "");
  if (likely > 0 && !(options.apply && options.likely)) {
    text += fmt::format("; {} likely, with --apply --likely", likely);
  }
  if (open > 0) {
    text += fmt::format("; {} cannot be judged{}", open, options.all ? "" : ": --all tells why");
  }
  return text + "\n";
}

Result<void> print(const LeftoverList& list, const GcOptions& options, const std::vector<Outcome>& outcomes) {
  Columns columns({"KIND", "NAME", "", "PROOF"});
  bool any = false;
  for (std::size_t i = 0; i < list.rows.size(); ++i) {
    const LeftoverRow& row = list.rows[i];
    if (row.judgement.verdict == LeftoverVerdict::unjudged && !options.all) {
      continue;
    }
    any = true;
    columns.add({row.kind, escaped(row.name), standing_of(row, outcomes[i]), escaped(row.judgement.proof)});
  }
  const std::string text = (any ? columns.text(terminal_width()) : "") + summary(list, options, outcomes);
  return print_whole(text, step_deadline(0)).transform([&] {
    for (const std::string& sentence : list.unseen) {
      say(fmt::format("tenon gc: not seen: {}\n", escaped(sentence)));
    }
  });
}

Result<void> print_json(const LeftoverList& list, const GcOptions& options, const std::vector<Outcome>& outcomes) {
  json rows = json::array();
  for (std::size_t i = 0; i < list.rows.size(); ++i) {
    const LeftoverRow& row = list.rows[i];
    rows.push_back({{"kind", row.kind},
                    {"name", escaped(row.name)},
                    {"verdict", inspect::name_of(row.judgement.verdict)},
                    {"proof", escaped(row.judgement.proof)},
                    {"removed", outcomes[i].removed},
                    {"failure", outcomes[i].failure.empty() ? json(nullptr) : json(outcomes[i].failure)}});
  }
  json unseen = json::array();
  for (const std::string& sentence : list.unseen) {
    unseen.push_back(escaped(sentence));
  }
  const json whole = {{"domain", escaped(list.domain)},
                      {"applied", options.apply},
                      {"found", std::move(rows)},
                      {"unseen", std::move(unseen)}};
  return print_whole(whole.dump(2) + "\n", step_deadline(0));
}

int gc(const GcOptions& options) {
  interrupt();  // a removal is finished before the next one is left
  const auto list = find_leftovers(options.choice);
  if (!list) {
    return report("gc", list.error());
  }
  const std::vector<Outcome> outcomes = apply(*list, options);
  const auto printed = options.json ? print_json(*list, options, outcomes) : print(*list, options, outcomes);
  if (!printed) {
    return report("gc", printed.error());
  }
  int code = succeeded;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].failure.empty()) {
      const LeftoverRow& row = list->rows[i];
      say(fmt::format("tenon gc: {}:{}: {}\n", row.kind, escaped(row.name), outcomes[i].failure));
      code = failed;
    }
  }
  return code;
}

}  // namespace

void add_gc(CLI::App& program, int& code) {
  auto options = std::make_shared<GcOptions>();
  CLI::App* command = program.add_subcommand("gc", "Find what the dead have left over, and take it away");
  command->add_option("--mechanism", options->choice.kinds, "Only that; may be said more than once")->type_name("KIND");
  command->add_option("--domain", options->choice.domain, "Instead of TENON_DOMAIN, or your own in /dev/shm")
      ->type_name("DIR");
  command->add_option("--in", options->choice.directories, "Look for socket files there too, beside /tmp and /run")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  command->add_flag("--apply", options->apply, "Remove what is left over; without it nothing is touched");
  command->add_flag("--likely", options->likely,
                    "With --apply: also System V queues and sets whose last users are dead, though a living one may "
                    "have used them before");
  command->add_flag("--all", options->all, "Also tell of what nobody is seen to hold and cannot be judged");
  command->add_flag("--json", options->json, "Print {domain, applied, found, unseen}; docs/tools.md has the schema");
  command->footer(
      "Example:\n"
      "  tenon gc\n"
      "  tenon gc --mechanism sysv_memory --apply\n"
      "Each is judged once more right before it goes. What a living process holds stays, and what cannot be judged.");
  command->callback([options, &code] { code = gc(*options); });
}

}  // namespace tenon::cli
