#pragma once
/// What `tenon ls topics`, `tenon ls boards` and their like have in common: two looks at what there is in a domain, and
/// how they are printed.
#include <tenon/base/name.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/domain.hpp>

#include <cli/columns.hpp>
#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/output_file.hpp>
#include <cli/say.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace tenon::cli {

struct LooksOptions {
  std::string domain = Domain::path_of_environment();
  double interval = 0.2;
  bool json = false;
};

/// Seen is inspect::Topics, inspect::Boards or their like.
template <class Seen>
struct TwoLooks {
  Seen now;
  std::optional<Seen> before;  ///< nothing: there are no rates

  /// Between the two.
  double seconds() const noexcept { return before ? static_cast<double>(now.at - before->at) / 1e9 : 0; }
};

// A domain that is not there has nothing in it: as it is when nobody has come yet.
template <class Seen>
Result<Seen> look(Result<Seen> seen) {
  return seen.failed_with(Errc::not_found) ? Result<Seen>(Seen{{}, {}, monotonic_now()}) : std::move(seen);
}

/// `inspect` looks at a domain, what it has seen is in `things`. One look where there is nothing to reckon a rate of,
/// or no time between two. Outcomes: stopped.
template <class Seen, class Things>
Result<TwoLooks<Seen>> look_twice(Result<Seen> (*inspect)(const std::string&), Things Seen::* things,
                                  const LooksOptions& options) {
  auto before = look(inspect(options.domain));
  if (!before || ((*before).*things).empty() || options.interval == 0) {
    return std::move(before).transform(
        [](Seen once) { return TwoLooks<Seen>{.now = std::move(once), .before = std::nullopt}; });
  }
  if (auto slept = sleep_until(step_deadline(options.interval)); slept.failed_with(Errc::stopped)) {
    return fail(std::move(slept.error()));
  }
  return look(inspect(options.domain)).transform([&](Seen now) {
    return TwoLooks<Seen>{.now = std::move(now), .before = std::move(*before)};
  });
}

/// The rows, and on standard error what could not be seen. Failures: as print_whole().
template <class Seen>
Result<void> print_rows(const TwoLooks<Seen>& looks, const Columns& rows) {
  return print_whole(rows.text(terminal_width()), step_deadline(0)).transform([&] {
    for (const std::string& sentence : looks.now.unseen) {
      say(fmt::format("tenon ls: not seen: {}\n", escaped(sentence)));
    }
  });
}

/// An object of the domain, what there is in it under that name, and what could not be seen.
template <class Seen>
Result<void> print_json(const TwoLooks<Seen>& looks, const std::string& domain, const char* name, nlohmann::json all) {
  nlohmann::json unseen = nlohmann::json::array();
  for (const std::string& sentence : looks.now.unseen) {
    unseen.push_back(escaped(sentence));
  }
  const nlohmann::json whole = {{"domain", escaped(domain)}, {name, std::move(all)}, {"unseen", std::move(unseen)}};
  return print_whole(whole.dump(2) + "\n", step_deadline(0));
}

/// Adds `tenon ls NAME`, which calls `list` with these options.
inline void add_looks(CLI::App& ls, int& code, const char* name, const char* description,
                      Result<void> (*list)(const LooksOptions&)) {
  auto options = std::make_shared<LooksOptions>();
  CLI::App* command = ls.add_subcommand(name, description);
  command->add_option("--domain", options->domain, "Instead of TENON_DOMAIN, or your own in /dev/shm")
      ->type_name("DIR");
  command->add_option("--interval", options->interval, "The time between two looks, for rates; 0 is one look")
      ->check(seconds)
      ->capture_default_str()
      ->type_name("SECONDS");
  command->add_flag("--json", options->json,
                    fmt::format("Print {{domain, {}, unseen}}; docs/tools.md has the schema", name));
  command->footer(
      fmt::format("Example:\n  tenon ls {} --domain /dev/shm/robot\nIt joins nothing and changes nothing.", name));
  command->callback([options, list, &code] {
    const auto listed = list(*options);
    code = listed ? succeeded : report("ls", listed.error());
  });
}

}  // namespace tenon::cli
