// peers: what others have beside a topic of Tenon's, in one table.
#include <harness/command_line.hpp>
#include <harness/environment.hpp>
#include <harness/table.hpp>
#include <limits/run.hpp>
#include <peers/peer.hpp>
#include <topic/traffic.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

namespace {

using limits::Kind;
using peers::Cell;
using peers::Peer;
using peers::Wait;

constexpr std::size_t sizes[] = {8, 64, 1 << 10, 64 << 10, 1 << 20};

std::string name_of(const Cell& cell) {
  return fmt::format("{} {}, {}", harness::size_text(cell.bytes),
                     cell.kind == Kind::one_way ? "one way" : "there and back",
                     cell.wait == Wait::polling ? "polling" : "blocking");
}

harness::Subject topic_of(const Cell& cell) {
  const tenon::Waiting waiting = cell.wait == Wait::polling ? tenon::Waiting::spin : tenon::Waiting::sleep;
  if (cell.kind == Kind::one_way) {
    return topics::one_way(topics::usual(cell.bytes, waiting));
  }
  const topics::Traffic traffic = topics::usual_trip(cell.bytes, waiting);
  return cell.wait == Wait::polling ? topics::there_and_back(traffic)
                                    : topics::there_and_back_asleep(traffic, limits::Where::across_cores);
}

// There and back the median of single operations; one way the rate.
std::string text_of(const harness::Figure& figure, const Cell& cell) {
  return cell.kind == Kind::one_way ? harness::rate_text(1e9 / figure.nanoseconds)
                                    : harness::duration_text(figure.single.p50);
}

struct Cells {
  std::vector<std::string> text;
  bool failed = false;
};

// The topic's figure is that of its first pair; each ratio is of a pair of its own.
Cells measure(limits::Bench& bench, const Cell& cell, const std::vector<Peer>& others) {
  Cells row{.text = {name_of(cell), "–"}};
  for (const Peer& peer : others) {
    const auto pair = bench.compare(name_of(cell), topic_of(cell), peer.subject(cell), harness::across_cores(2));
    if (!pair || !pair->not_measured.empty()) {
      fmt::print(stderr, "peers: {}, {}: {}\n", peer.name, name_of(cell),
                 pair ? pair->not_measured : pair.error().message());
      row.text.emplace_back("failed");
      row.failed = row.failed || !pair;
      continue;
    }
    if (row.text[1] == "–") {
      row.text[1] = text_of(pair->figure.limit, cell);
    }
    row.text.push_back(fmt::format("{}  × {:.2f}", text_of(pair->figure.subject, cell), pair->figure.ratio.median));
  }
  return row;
}

std::vector<Cell> all_cells() {
  std::vector<Cell> cells;
  for (Kind kind : {Kind::round_trip, Kind::one_way}) {
    for (Wait wait : {Wait::polling, Wait::blocking}) {
      for (std::size_t bytes : sizes) {
        cells.push_back({.bytes = bytes, .wait = wait, .kind = kind});
      }
    }
  }
  return cells;
}

struct Options {
  std::vector<std::string> names;
  std::vector<std::string> peers;
  bool quick = false;
};

int run(const Options& options) {
  const topics::DomainsOfRun domains;
  auto bench = limits::Bench::start(options.quick ? limits::Extent::quick : limits::Extent::full).or_throw();
  fmt::print("{}", description(environment(bench.clock())));
  std::vector<Peer> others = peers::all_peers();
  std::erase_if(others, [&](const Peer& peer) { return !harness::selected(peer.name, options.peers); });
  std::vector<std::shared_ptr<void>> started;
  std::vector<harness::Table::Column> columns = {{"", harness::Table::Side::left}, {"Tenon"}};
  for (const Peer& peer : others) {
    if (!peer.missing.empty()) {
      fmt::print("{} is not in the table: it {}\n", peer.name, peer.missing);
      continue;
    }
    columns.push_back({peer.name});
    if (peer.start) {
      started.push_back(peer.start());
    }
  }
  std::erase_if(others, [](const Peer& peer) { return !peer.missing.empty(); });
  harness::Table table(columns);
  std::vector<Cell> cells = all_cells();
  std::erase_if(cells, [&](const Cell& cell) { return !harness::selected(name_of(cell), options.names); });
  bool failed = false;
  {
    harness::Progress progress(cells.size());
    for (const Cell& cell : cells) {
      progress.next(name_of(cell));
      Cells row = measure(bench, cell, others);
      failed = failed || row.failed;
      table.add(std::move(row.text));
    }
  }
  fmt::print("\n{}\n× n: its time in that of a topic, in pairs of blocks; more than 1 is slower than the topic.\n",
             table.text());
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Others beside a topic: two processes pinned to two cores, the same payload written, read and checked.\n\n"
      "Example: peers --quick --peer ZeroMQ '64 B'");
  Options options;
  app.add_option("NAME", options.names, "Only rows whose name contains one of these");
  app.add_option("--peer", options.peers, "Only peers whose name contains this; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--quick", options.quick, "Fewer blocks and starts");
  return harness::run_program("peers", app, argc, argv, [&] { return run(options); });
}
