/// tenon doctor [--json]
#include <tenon/base/name.hpp>
#include <tenon/inspect/settings/setting.hpp>

#include <cli/columns.hpp>
#include <cli/command.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace tenon::cli {

namespace {

using inspect::Setting;
using inspect::Verdict;

void print(const std::vector<Setting>& settings) {
  constexpr std::size_t indent = 9;
  const std::size_t width = terminal_width();
  for (const Setting& setting : settings) {
    fmt::print("{:<8} {} = {}\n", inspect::name_of(setting.verdict), setting.name, escaped(setting.value));
    fmt::print("{}", wrapped(escaped(setting.meaning), indent, width));
    if (!setting.remedy.empty()) {
      fmt::print("{}", wrapped("To change it: " + setting.remedy, indent, width));
    }
  }
  const auto count = [&](Verdict verdict) { return std::ranges::count(settings, verdict, &Setting::verdict); };
  fmt::print("\n{} settings: {} ok, {} to note, {} problems\n", settings.size(), count(Verdict::ok),
             count(Verdict::note), count(Verdict::problem));
}

void print_json(const std::vector<Setting>& settings) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Setting& setting : settings) {
    rows.push_back({{"name", setting.name},
                    {"value", escaped(setting.value)},
                    {"verdict", inspect::name_of(setting.verdict)},
                    {"meaning", escaped(setting.meaning)},
                    {"remedy", setting.remedy}});
  }
  fmt::print("{}\n", rows.dump(2));
}

}  // namespace

void add_doctor(CLI::App& program, int& code) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = program.add_subcommand("doctor", "Tell the limits and settings that decide what works here");
  command->add_flag("--json", *json, "Print an array of {name, value, verdict, meaning, remedy}");
  command->footer(
      "Example:\n"
      "  tenon doctor\n"
      "The exit code is 1 if one of them is a problem.");
  command->callback([json, &code] {
    const auto settings = inspect::settings();
    *json ? print_json(settings) : print(settings);
    code = std::ranges::find(settings, Verdict::problem, &Setting::verdict) == settings.end() ? succeeded : failed;
  });
}

}  // namespace tenon::cli
