// topic_soak [--messages N] [--minutes M] [--seed S]: checksummed messages through real topics, while publishers and
// subscribers are killed at random and replaced. Exit code 1 if anything was wrong, or if it proves nothing.
#include "crowd.hpp"
#include "membership.hpp"
#include "round.hpp"
#include <kit/scratch_domain.hpp>

#include <kit/shared.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* usage =
    "usage: topic_soak [--messages N] [--minutes M] [--seed S] [--fault NAME] [--without-kills] [--hostile]\n"
    "  --messages N     until N messages were received; 1000000000 by default\n"
    "  --minutes M      or until M minutes are over\n"
    "  --seed S         who is killed, and when\n"
    "  --fault NAME     does something wrong itself, which it must find: torn, skipped, swallowed, uncounted,\n"
    "                   descriptor, file\n"
    "  --without-kills  nobody is killed, and so nothing proved: exit code 1\n"
    "  --hostile        beside subscribers that write garbage wherever they may\n"
    "or:    topic_soak --cycles N [--seed S]        N processes crash one after the other, and leave nothing\n"
    "or:    topic_soak --scale [--small]            1,000 topics, 200 processes, 1,000 at one topic; or a fifth of "
    "all\n"
    "example: topic_soak --messages 10000000 --seed 7\n";

constexpr std::array<std::string_view, 7> faults = {"none",      "torn",       "skipped", "swallowed",
                                                    "uncounted", "descriptor", "file"};
// A round has a part of all messages, so that what was published is often held against what was received.
constexpr std::uint64_t rounds_at_least = 4;
constexpr std::uint64_t longest_round = 20'000'000;

template <class Number>
bool read(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc() && end == text.data() + text.size() && into > 0;
}

bool parse(const std::vector<std::string_view>& words, soak::Options& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--without-kills" || words[i] == "--hostile") {
      (words[i] == "--hostile" ? options.hostile : options.kills) = words[i] == "--hostile";
      continue;
    }
    if (i + 1 == words.size()) {
      return false;
    }
    const std::string_view option = words[i];
    const std::string_view value = words[++i];
    const auto* const fault = std::ranges::find(faults, value);
    const bool valid = (option == "--messages" && read(value, options.messages)) ||
                       (option == "--minutes" && read(value, options.minutes)) ||
                       (option == "--seed" && read(value, options.seed)) ||
                       (option == "--fault" && fault != faults.end());
    if (!valid) {
      return false;
    }
    if (option == "--fault") {
      options.fault = static_cast<soak::Fault>(fault - faults.begin());
    }
  }
  return true;
}

class Soak {
 public:
  explicit Soak(const soak::Options& options) : options_(options) {}

  void run() {
    const std::size_t descriptors = soak::open_descriptors();
    while (!is_over() && ledger_->complaints() == 0) {
      const std::uint64_t until = received() + std::min(options_.messages / rounds_at_least + 1, longest_round);
      soak::Round(*domain_, *ledger_, options_, random_, kills_).run([&] {
        tell_progress();
        return received() >= until || is_over();
      });
    }
    if (soak::open_descriptors() != descriptors) {
      ledger_->complain("the soak itself has left descriptors open");
    }
  }
  void print() const;
  bool is_right() const { return ledger_->complaints() == 0 && proves_nothing().empty(); }

 private:
  std::uint64_t received() const { return ledger_->tally().received.load(); }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begun_).count(); }
  bool is_over() const {
    return received() >= options_.messages || (options_.minutes > 0 && seconds() > options_.minutes * 60);
  }
  void tell_progress() {
    if (is_terminal_ && Clock::now() > next_line_) {
      next_line_ = Clock::now() + std::chrono::seconds(5);
      std::printf("%6.0f s  %5.1f%%  %.1f million received, %llu killed\n", seconds(),
                  100.0 * static_cast<double>(received()) / static_cast<double>(options_.messages),
                  static_cast<double>(received()) / 1e6, static_cast<unsigned long long>(kills_.killed));
      std::fflush(stdout);
    }
  }
  // What did not happen, so that nothing is said by its not having gone wrong.
  std::string proves_nothing() const {
    const soak::Tally& tally = ledger_->tally();
    return kills_.killed == 0                              ? "nobody was killed"
           : kills_.restarted == 0                         ? "nobody was replaced"
           : tally.gaps.load() == 0                        ? "no subscriber had a gap"
           : options_.hostile && tally.garbage.load() == 0 ? "no garbage was written"
           : tally.held.load() == 0                        ? "no message was held"
           : tally.ends_told.load() == 0                   ? "no publisher's end was told"
           : tally.ends_checked.load() == 0                ? "nobody lived to the end"
                                                           : "";
  }

  soak::Options options_;
  kit::Shared<soak::Ledger> ledger_;
  kit::ScratchDomain domain_{"soak"};
  soak::Random random_{options_.seed};
  soak::Kills kills_;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point next_line_ = begun_ + std::chrono::seconds(5);
  bool is_terminal_ = ::isatty(STDOUT_FILENO) == 1;
};

void line(const char* what, std::uint64_t figure) {
  std::printf("%-44s %15llu\n", what, static_cast<unsigned long long>(figure));
}

void Soak::print() const {
  const soak::Tally& tally = ledger_->tally();
  std::printf("%-44s %15.1f\n", "seconds", seconds());
  line("seed", options_.seed);
  line("rounds", kills_.rounds);
  line("processes killed", kills_.killed);
  line("  of them replaced at once", kills_.restarted);
  line("messages received, each found whole", tally.received.load());
  line("  a second", static_cast<std::uint64_t>(static_cast<double>(received()) / seconds()));
  line("  bytes", tally.bytes.load());
  line("long messages held, and found whole later", tally.held.load());
  line("gaps of lossy subscribers, each as told", tally.gaps.load());
  line("  messages lost in them", tally.lost.load());
  line("reliable subscribers checked to the end", tally.reliable_ended.load());
  line("lossy subscribers checked to the end", tally.lossy_ended.load());
  line("  publishers' ends told to them", tally.ends_told.load());
  line("  publishers' last messages held against all", tally.ends_checked.load());
  if (options_.hostile) {
    line("words of garbage written", tally.garbage.load());
  }
  line("wrong", ledger_->complaints());
  for (std::size_t i = 0; i < std::min<std::size_t>(ledger_->complaints(), soak::Ledger::kept_complaints); ++i) {
    std::printf("  %s\n", ledger_->complaint(i).c_str());
  }
  if (const std::string nothing = proves_nothing(); !nothing.empty()) {
    std::printf("This proves nothing: %s.\n", nothing.c_str());
  }
}

// --cycles and --scale: nothing if it is neither.
std::optional<int> run_other(const std::vector<std::string_view>& words) {
  std::uint64_t cycles = 0;
  std::uint64_t seed = 1;
  if (words.size() >= 2 && words[0] == "--cycles" && read(words[1], cycles) &&
      (words.size() == 2 || (words.size() == 4 && words[2] == "--seed" && read(words[3], seed)))) {
    return soak::run_cycles(cycles, seed) ? 0 : 1;
  }
  if (!words.empty() && words[0] == "--scale" && (words.size() == 1 || (words.size() == 2 && words[1] == "--small"))) {
    const std::uint32_t part = words.size() == 2 ? 5 : 1;
    return soak::run_crowd({.topics = 1000 / part, .processes = 200 / part, .endpoints = 1000 / part}) ? 0 : 1;
  }
  return std::nullopt;
}

}  // namespace

int main(int count, char** arguments) try {
  const std::vector<std::string_view> words(arguments + 1, arguments + count);
  if (const auto code = run_other(words)) {
    return *code;
  }
  soak::Options options;
  if (!parse(words, options)) {
    std::fputs(usage, stderr);
    return 2;
  }
  Soak soak(options);
  soak.run();
  soak.print();
  return soak.is_right() ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "topic_soak: %s\n", error.what());
  return 1;
}
