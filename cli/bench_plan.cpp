#include <cli/bench_plan.hpp>

#include <harness/team.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <span>
#include <utility>

namespace tenon::cli {

namespace {

using cells::Cell;
using cells::Pattern;
using cells::Place;
using cells::Wait;

constexpr std::uint64_t largest = 16 << 20;
constexpr std::size_t usual_peers = 4;
constexpr std::uint64_t usual_size = 64;

std::string whole_words(const std::string& text) {
  std::uint64_t bytes = 0;
  const bool number = CLI::detail::lexical_cast(text, bytes);
  return number && bytes >= 8 && bytes <= largest && bytes % 8 == 0
             ? ""
             : "\"" + text + "\" is not a size: a multiple of 8 bytes, 16 MiB at most";
}

template <class Of, std::size_t N>
std::optional<Of> named(const std::string& text, const std::array<Of, N>& all) {
  const auto found = std::ranges::find_if(all, [&](Of one) { return name_of(one) == text; });
  return found == all.end() ? std::nullopt : std::optional(*found);
}

constexpr std::array waits{Wait::spin, Wait::adaptive, Wait::sleep, Wait::poll};
constexpr std::array patterns{Pattern::round_trip, Pattern::one_way, Pattern::fan_out, Pattern::fan_in};

std::string way_to_wait(const std::string& text) {
  return named(text, waits) ? "" : "\"" + text + "\" is no way to wait: spin, adaptive, sleep or poll";
}

// One side more is the one that they all talk to.
bool is_count(const std::string& text) {
  std::size_t count = 0;
  return CLI::detail::lexical_cast(text, count) && count >= 1 && count < harness::Team::max_sides;
}

std::pair<std::string, std::string> split(const std::string& text) {
  const std::size_t at = text.find(':');
  return at == std::string::npos ? std::pair(text, std::string()) : std::pair(text.substr(0, at), text.substr(at + 1));
}

std::string known_pattern(const std::string& text) {
  const auto [name, count] = split(text);
  const auto pattern = named(name, patterns);
  const bool counts = count.empty() || (is_count(count) && (pattern == Pattern::fan_out || pattern == Pattern::fan_in));
  return pattern && counts ? "" : "\"" + text + "\" is no pattern: roundtrip, oneway, fanout:4 or fanin:4, up to 62";
}

std::string known_mechanism(const std::string& text) {
  const auto& all = cells::all_mechanisms();
  if (text == "limits" || is_count(text) || std::ranges::find(all, text, &cells::Mechanism::name) != all.end()) {
    return "";
  }
  std::string names = "limits";
  for (const cells::Mechanism& mechanism : all) {
    names += ", " + mechanism.name;
  }
  return "\"" + text + "\" is nothing that is measured: " + names;
}

// What is measured where nothing was asked: what tells most about each size in short time, or all of it.
struct Usual {
  std::vector<std::uint64_t> sizes;
  std::vector<Wait> waits_there_and_back;
};
Usual usual(bool quick) {
  return quick ? Usual{.sizes = {64}, .waits_there_and_back = {Wait::spin, Wait::sleep}}
               : Usual{.sizes = {8, 64, 1 << 10, 64 << 10, 1 << 20},
                       .waits_there_and_back = {Wait::spin, Wait::adaptive, Wait::sleep, Wait::poll}};
}

class Planner {
 public:
  Planner(const BenchChoice& choice, const cells::Places& places) : choice_(choice), places_(places) {}

  std::vector<Cell> cells() {
    const auto [name, count] = split(choice_.pattern);
    const auto only = named(name, patterns);
    for (const Pattern pattern : patterns) {
      if (!only || *only == pattern) {
        add_pattern(pattern);
      }
    }
    if (!only && choice_.wait.empty()) {
      add({.pattern = Pattern::first_message, .bytes = 64, .wait = Wait::spin, .place = across()});
    }
    add_depths();
    add_backlog();
    return std::move(cells_);
  }

 private:
  void add(const Cell& cell) { cells_.push_back(cell); }
  Place across() const { return places_.has(Place::near) ? Place::near : Place::one_core; }
  std::vector<std::uint64_t> sizes() const {
    std::vector<std::uint64_t> all = choice_.sizes.empty() ? usual(choice_.quick).sizes : choice_.sizes;
    std::ranges::sort(all);
    const auto twice = std::ranges::unique(all);
    all.erase(twice.begin(), twice.end());
    return all;
  }
  // Of what is measured at one size alone.
  std::uint64_t one_size() const {
    const auto& asked = choice_.sizes;
    return asked.empty() || std::ranges::find(asked, usual_size) != asked.end() ? usual_size : asked.front();
  }
  std::vector<Wait> waits_or(std::vector<Wait> otherwise) const {
    const auto chosen = named(choice_.wait, waits);
    return chosen ? std::vector{*chosen} : otherwise;
  }
  std::size_t peers() const {
    const auto [name, count] = split(choice_.pattern);
    const auto number = std::ranges::find_if(choice_.what, is_count);
    return !count.empty() ? std::stoul(count) : number != choice_.what.end() ? std::stoul(*number) : usual_peers;
  }

  void add_pattern(Pattern pattern) {
    switch (pattern) {
      case Pattern::round_trip:
        return add_round_trips();
      case Pattern::one_way:
        return add_one_ways();
      default:
        return add_fans(pattern);
    }
  }

  // Who spins shares no processor with who it waits for. How one waits is told at the first size alone, unless one way
  // was asked for: for more bytes it matters less.
  void add_round_trips() {
    bool first = true;
    for (const std::uint64_t bytes : sizes()) {
      for (const Wait wait : waits_or(usual(choice_.quick).waits_there_and_back)) {
        const bool asked = !choice_.wait.empty() || wait == Wait::spin || first;
        for (const Place place : {Place::near, Place::far, Place::one_core}) {
          const bool fits = place == Place::one_core ? wait == Wait::sleep && first : places_.has(place);
          if (asked && fits) {
            add({.pattern = Pattern::round_trip, .bytes = bytes, .wait = wait, .place = place});
          }
        }
      }
      first = bytes == 8 && first;  // smaller than what the table is about
    }
  }
  void add_one_ways() {
    for (const std::uint64_t bytes : sizes()) {
      for (const Wait wait : waits_or({Wait::adaptive})) {
        add({.pattern = Pattern::one_way, .bytes = bytes, .wait = wait, .place = across()});
      }
    }
  }
  void add_fans(Pattern pattern) {
    for (const Wait wait : waits_or({Wait::adaptive})) {
      const std::uint64_t bytes = one_size();
      add({.pattern = pattern, .bytes = bytes, .wait = wait, .place = across(), .peers = peers()});
    }
  }
  // The rate at that depth, and how long the last of so many waits.
  void add_depths() {
    const std::uint64_t bytes = one_size();
    for (const std::uint64_t depth : choice_.depths) {
      for (const Wait wait : waits_or({Wait::adaptive})) {
        add({.pattern = Pattern::one_way, .bytes = bytes, .wait = wait, .place = across(), .depth = depth});
        if (depth > 1) {
          add({.pattern = Pattern::queued,
               .bytes = bytes,
               .wait = wait,
               .place = across(),
               .peers = depth - 1,
               .depth = depth});
        }
      }
    }
  }
  void add_backlog() {
    if (choice_.backlog > 0) {
      const std::uint64_t bytes = one_size();
      for (const Pattern pattern : {Pattern::queued, Pattern::backlog}) {
        add({.pattern = pattern,
             .bytes = bytes,
             .wait = waits_or({Wait::adaptive}).front(),
             .place = across(),
             .peers = choice_.backlog});
      }
    }
  }

  const BenchChoice& choice_;
  const cells::Places& places_;
  std::vector<Cell> cells_;
};

}  // namespace

bool BenchChoice::with_limits() const { return what.empty() || std::ranges::find(what, "limits") != what.end(); }

std::vector<const cells::Mechanism*> BenchChoice::mechanisms() const {
  std::vector<const cells::Mechanism*> chosen;
  const bool all = std::ranges::all_of(what, is_count);
  for (const cells::Mechanism& mechanism : cells::all_mechanisms()) {
    if (all || std::ranges::find(what, mechanism.name) != what.end()) {
      chosen.push_back(&mechanism);
    }
  }
  return chosen;
}

std::vector<cells::Cell> BenchChoice::cells(const cells::Places& places) const {
  return Planner(*this, places).cells();
}

std::string BenchChoice::mistake() const {
  const bool is_fan = pattern.starts_with("fan");
  const auto number = std::ranges::find_if(what, is_count);
  if (number != what.end() && !is_fan) {
    return "\"" + *number + "\" is nothing that is measured; it goes with --pattern fanout or fanin";
  }
  return "";
}

void add_bench_choice(CLI::App& bench, BenchChoice& choice) {
  bench.add_option("what", choice.what, "Mechanisms and patterns, or \"limits\"; all of them without any")
      ->type_name("WHAT")
      ->check(known_mechanism);
  bench.add_option("--size", choice.sizes, "Bytes of a message: 8,64,64KiB")
      ->delimiter(',')
      ->type_name("LIST")
      ->transform(CLI::AsSizeValue(false))
      ->check(whole_words);
  bench.add_option("--wait", choice.wait, "How both ends wait")
      ->type_name("spin|adaptive|sleep|poll")
      ->check(way_to_wait);
  bench.add_option("--pattern", choice.pattern, "One pattern alone; fanout:8 and fanin:8 for so many processes")
      ->type_name("roundtrip|oneway|fanout|fanin")
      ->check(known_pattern);
  bench.add_option("--depth", choice.depths, "Rate, delay and memory with so many messages under way: 1,10,100")
      ->delimiter(',')
      ->type_name("LIST")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}));
  bench.add_option("--backlog", choice.backlog, "How long an urgent message takes behind so many others")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}));
  bench.add_flag("--quick", choice.quick, "One size, fewer repeats: under a minute");
  bench
      .add_option("--repeats", choice.repeats,
                  "Of every row, 11 or with --quick 3 without it: the more, the smaller a change is told")
      ->type_name("N")
      ->check(CLI::Range(3, 1001));
  bench.add_flag("--anyway", choice.anyway, "Report even where the machine is too busy to tell anything");
}

}  // namespace tenon::cli
