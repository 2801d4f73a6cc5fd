/// tenon graph [--all] [--format dot|svg|json]
#include <tenon/base/name.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <cli/command.hpp>
#include <cli/graph_model.hpp>
#include <cli/graph_text.hpp>
#include <cli/interrupt.hpp>
#include <cli/output_file.hpp>
#include <cli/say.hpp>

#include <fmt/core.h>

#include <memory>

namespace tenon::cli {

namespace {

struct GraphOptions {
  std::string format = "dot";
  bool all = false;
};

int graph(const GraphOptions& options) {
  inspect::SnapshotOptions wanted;
  wanted.waits = true;
  const inspect::Snapshot all = inspect::snapshot(wanted);
  const Graph found = options.all ? graph_of_all(all) : graph_of_waits(all);
  const std::string text = options.format == "svg"    ? svg_of(found)
                           : options.format == "json" ? json_of(found)
                                                      : dot_of(found);
  if (const auto printed = print_whole(text, step_deadline(0)); !printed) {
    return report("graph", printed.error());
  }
  for (const std::string& sentence : all.unseen) {
    say(fmt::format("tenon graph: not seen: {}\n", escaped(sentence)));
  }
  return succeeded;
}

}  // namespace

void add_graph(CLI::App& program, int& code) {
  auto options = std::make_shared<GraphOptions>();
  CLI::App* command = program.add_subcommand("graph", "Draw who waits for what, and who could end that");
  command->add_option("--format", options->format, "dot (for Graphviz), svg or json")
      ->check(CLI::IsMember({"dot", "svg", "json"}))
      ->capture_default_str();
  command->add_flag("--all", options->all, "Also what nobody waits for: every object that a process has");
  command->footer(
      "Example:\n"
      "  tenon graph --format svg > waits.svg\n"
      "A solid line leads from who waits to what it waits for, a dashed one from there to who could end that. What is "
      "stuck is red.");
  command->callback([options, &code] { code = graph(*options); });
}

}  // namespace tenon::cli
