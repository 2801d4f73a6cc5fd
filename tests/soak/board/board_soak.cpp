// board_soak [--values N] [--minutes M] [--seed S]: four processes write the keys of one blackboard and two read them,
// while one of the six is killed each 100 ms and replaced. Readers must find each value whole, and of each key the
// numbers, and of each key and writer the writer's own counts, only rising. Exit code 1 if anything was wrong, or if it
// proves nothing.
#include "../random.hpp"

#include <kit/patience.hpp>
#include <kit/scratch_domain.hpp>
#include <kit/shared.hpp>
#include <tenon/messaging/blackboard/blackboard.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using tenon::after;
using tenon::Errc;
using tenon::Latest;
using tenon::never;

constexpr const char* usage =
    "usage: board_soak [--values N] [--minutes M] [--seed S] [--fault NAME] [--without-kills]\n"
    "  --values N       until N values were written; 100000000 by default\n"
    "  --minutes M      or until M minutes are over\n"
    "  --seed S         who is killed\n"
    "  --fault NAME     does something wrong itself, which it must find: torn, back\n"
    "  --without-kills  nobody is killed, and so nothing proved: exit code 1\n";

constexpr std::uint32_t keys = 1000;
constexpr std::size_t writers = 4;
constexpr std::size_t readers = 2;
constexpr std::chrono::milliseconds between_kills{100};
constexpr std::uint64_t counted_at_once = 256;

/// A value tells who wrote it, as the how many-eth of its own, and words that follow from both.
template <std::size_t Words>
struct Reading {
  static constexpr std::string_view type_name = Words < 100 ? "Short" : "Long";
  std::uint64_t writer;
  std::uint64_t count;
  std::array<std::uint64_t, Words> words;
};
using Short = Reading<6>;
using Long = Reading<126>;
using Board = tenon::Blackboard<std::uint32_t, Short, Long>;

constexpr bool is_long(std::uint32_t key) { return key % 8 == 7; }
constexpr std::uint64_t word_of(std::uint64_t writer, std::uint64_t count, std::uint64_t i) {
  return (writer ^ count * 0x9e3779b97f4a7c15) + i;
}
template <class Value>
Value value_of(std::uint64_t writer, std::uint64_t count) {
  Value value{.writer = writer, .count = count, .words = {}};
  for (std::size_t i = 0; i < value.words.size(); ++i) {
    value.words[i] = word_of(writer, count, i);
  }
  return value;
}

enum class Fault : unsigned char { none, torn, back };

struct Options {
  std::uint64_t values = 100'000'000;
  double minutes = 0;
  std::uint64_t seed = 1;
  Fault fault = Fault::none;
  bool kills = true;
};

/// What all processes share.
struct Ledger {
  std::atomic<std::uint64_t> written = 0;
  std::atomic<std::uint64_t> read = 0;
  std::atomic<std::uint64_t> told = 0;  ///< changes, to who watches
  std::atomic<std::uint64_t> stop = 0;
  std::atomic<std::uint64_t> wrong = 0;
  std::array<char, 200> first_wrong{};

  void complain(const std::string& what) noexcept {
    if (wrong.fetch_add(1) == 0) {
      what.copy(first_wrong.data(), first_wrong.size() - 1);
    }
  }
};

tenon::Deadline patience() { return after(kit::patient(std::chrono::seconds(60))); }

/// A process at the board.
class Member {
 public:
  Member(const tenon::Domain& domain, Ledger& ledger, const Options& options, std::uint64_t seed)
      : ledger_(ledger),
        options_(options),
        random_(seed),
        life_(tenon::Life::join(domain).or_throw()),
        holder_(tenon::Holder::of(domain, life_).or_throw()),
        board_(Board::open(holder_, "soak").or_throw()) {}

  void write_all() {
    std::uint64_t count = 0;
    while (ledger_.stop == 0) {
      for (std::uint64_t i = 0; i < counted_at_once; ++i) {
        const auto key = static_cast<std::uint32_t>(random_.below(keys));
        is_long(key) ? write<Long>(key, ++count) : write<Short>(key, ++count);
      }
      ledger_.written += counted_at_once;
    }
  }
  void read_all() {
    while (ledger_.stop == 0) {
      for (std::uint64_t i = 0; i < counted_at_once; ++i) {
        read(static_cast<std::uint32_t>(random_.below(keys)));
      }
      ledger_.read += counted_at_once;
    }
  }
  void watch_all() {
    auto watch = board_.watch();
    while (ledger_.stop == 0) {
      if (const auto change = watch.next(after(std::chrono::milliseconds(10)))) {
        const std::uint64_t number = read(change->key);
        if (number < change->number) {
          ledger_.complain("a change was told before its value could be read");
        }
        ++ledger_.told;
      }
    }
  }

 private:
  template <class Value>
  void write(std::uint32_t key, std::uint64_t count) {
    const bool is_wrong = options_.fault != Fault::none && count % 10'000 == 0;
    Value value = value_of<Value>(holder_.token().value(), is_wrong && options_.fault == Fault::back ? 1 : count);
    value.words.back() += is_wrong && options_.fault == Fault::torn ? 1 : 0;
    if (const auto written = board_.write(key, value, patience()); !written) {
      ledger_.complain("a key cannot be written: " + written.error().message());
    }
  }
  std::uint64_t read(std::uint32_t key) { return is_long(key) ? read<Long>(key) : read<Short>(key); }
  template <class Value>
  std::uint64_t read(std::uint32_t key) {
    const auto latest = board_.read<Value>(key);
    if (!latest) {
      if (!latest.failed_with(Errc::not_found) || numbers_[key] != 0) {
        ledger_.complain("a key cannot be read: " + latest.error().message());
      }
      return 0;
    }
    check(key, *latest);
    return latest->number;
  }
  template <class Value>
  void check(std::uint32_t key, const Latest<Value>& latest) {
    const Value expected = value_of<Value>(latest.writer.value(), latest.value.count);
    if (latest.value.writer != expected.writer || latest.value.words != expected.words) {
      ledger_.complain("a value is torn");
    }
    std::uint64_t& count = counts_[(std::uint64_t{key} << 40) ^ latest.writer.value()];
    if (latest.number < numbers_[key] || latest.value.count < count) {
      ledger_.complain("key " + std::to_string(key) + " went back");
    }
    numbers_[key] = latest.number;
    count = latest.value.count;
  }

  Ledger& ledger_;
  const Options& options_;
  soak::Random random_;
  tenon::Life life_;
  tenon::Holder holder_;
  Board board_;
  std::array<std::uint64_t, keys> numbers_{};
  std::unordered_map<std::uint64_t, std::uint64_t> counts_;
};

class Soak {
 public:
  explicit Soak(const Options& options) : options_(options) {
    for (std::size_t seat = 0; seat < members_.size(); ++seat) {
      start(seat);
    }
  }
  void run() {
    while (!is_over() && ledger_->wrong == 0) {
      ::usleep(static_cast<useconds_t>(std::chrono::microseconds(between_kills).count()));
      if (options_.kills) {
        kill_one();
      }
    }
    ledger_->stop = 1;
    for (auto& member : members_) {
      const auto ended = member->wait(patience());
      if (!ended || ended->code() != 0) {
        ledger_->complain("a process has ended: " + (ended ? ended->message() : ended.error().message()));
      }
    }
    look_at_all_keys();
  }
  bool print() const;

 private:
  std::uint64_t next_seed() { return random_.below(UINT64_MAX) | 1; }
  void start(std::size_t seat) {
    members_[seat].emplace(
        tenon::spawn([this, seat, seed = next_seed()] {
          Member member(*domain_, *ledger_, options_, seed);
          seat < writers ? member.write_all() : seat % 2 == 0 ? member.read_all() : member.watch_all();
          return 0;
        }).or_throw());
  }
  void kill_one() {
    const std::size_t seat = random_.below(members_.size());
    (void)members_[seat]->signal(SIGKILL);
    const auto ended = members_[seat]->wait(patience()).or_throw();
    if (ended != tenon::ExitStatus::killed(SIGKILL)) {
      ledger_->complain("a process has ended by itself: " + ended.message());
    }
    ++killed_;
    if (killed_ % 50 == 0) {
      static_cast<void>(tenon::sweep(*domain_));
    }
    start(seat);
  }
  bool is_over() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
    return ledger_->written >= options_.values || (options_.minutes > 0 && seconds > options_.minutes * 60);
  }
  // What was written stands there, and each key can be written still.
  void look_at_all_keys() {
    std::uint64_t stored = 0;
    for (std::uint32_t key = 0; key < keys; ++key) {
      const auto number = is_long(key) ? board_.write(key, value_of<Long>(0, 0), patience())
                                       : board_.write(key, value_of<Short>(0, 0), patience());
      if (!number) {
        ledger_->complain("a key cannot be written: " + number.error().message());
        continue;
      }
      stored += *number - 1;
    }
    const std::uint64_t written = ledger_->written;
    if (stored < written || stored > written + killed_ * counted_at_once) {
      ledger_->complain("of " + std::to_string(written) + " values " + std::to_string(stored) + " were stored");
    }
    if (board_.keys().size() != keys) {
      ledger_->complain("there are " + std::to_string(board_.keys().size()) + " keys");
    }
  }

  Options options_;
  kit::Shared<Ledger> ledger_;
  kit::ScratchDomain domain_{"soak"};
  tenon::Life life_ = tenon::Life::join(*domain_).or_throw();
  tenon::Holder holder_ = tenon::Holder::of(*domain_, life_).or_throw();
  Board board_ = Board::create(holder_, "soak", {.keys = keys}).or_throw();
  soak::Random random_{options_.seed};
  std::array<std::optional<tenon::Child>, writers + readers> members_;
  std::uint64_t killed_ = 0;
  Clock::time_point begun_ = Clock::now();
};

bool Soak::print() const {
  const auto line = [](const char* what, std::uint64_t figure) {
    std::printf("%-44s %15llu\n", what, static_cast<unsigned long long>(figure));
  };
  std::printf("%-44s %15.1f\n", "seconds", std::chrono::duration<double>(Clock::now() - begun_).count());
  line("seed", options_.seed);
  line("processes killed, and replaced at once", killed_);
  line("values written", ledger_->written);
  line("values read, each whole and none older", ledger_->read);
  line("changes told to who watches", ledger_->told);
  line("wrong", ledger_->wrong);
  if (ledger_->wrong != 0) {
    std::printf("  %s\n", ledger_->first_wrong.data());
  }
  const char* const nothing = killed_ == 0         ? "nobody was killed"
                              : ledger_->read == 0 ? "nothing was read"
                              : ledger_->told == 0 ? "no change was told"
                                                   : "";
  if (*nothing != '\0') {
    std::printf("This proves nothing: %s.\n", nothing);
  }
  return ledger_->wrong == 0 && *nothing == '\0';
}

template <class Number>
bool read_number(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc() && end == text.data() + text.size() && into > 0;
}

bool parse(const std::vector<std::string_view>& words, Options& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--without-kills") {
      options.kills = false;
      continue;
    }
    if (i + 1 == words.size()) {
      return false;
    }
    const std::string_view option = words[i];
    const std::string_view value = words[++i];
    const bool is_fault = option == "--fault" && (value == "torn" || value == "back");
    if (is_fault) {
      options.fault = value == "torn" ? Fault::torn : Fault::back;
    } else if (!(option == "--values" && read_number(value, options.values)) &&
               !(option == "--minutes" && read_number(value, options.minutes)) &&
               !(option == "--seed" && read_number(value, options.seed))) {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int count, char** arguments) try {
  Options options;
  if (!parse({arguments + 1, arguments + count}, options)) {
    std::fputs(usage, stderr);
    return 2;
  }
  Soak soak(options);
  soak.run();
  return soak.print() ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "board_soak: %s\n", error.what());
  return 1;
}
