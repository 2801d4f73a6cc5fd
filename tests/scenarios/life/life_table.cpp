// life_table [--short] [--json] [--only NAME] [--list]: every way in which a member's life can go, what the others see
// of it, and how soon. Exit code 1 if anything was seen wrongly.
#include "row.hpp"

#include <tenon/os/life_layout.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using life_table::Case;
using life_table::Options;
using life_table::Row;
using life_table::Verdict;

constexpr const char* usage =
    "usage: life_table [--short] [--json] [--only NAME] [--list]\n"
    "  --short      fewer trials, shorter waits, and limits on times four times as wide\n"
    "  --json       one JSON object on a line for each row\n"
    "  --only NAME  cases whose name contains NAME\n"
    "example: life_table --only \"3 GB\"\n";

struct Command {
  Options options;
  std::string only;
  bool json = false;
  bool list = false;
  bool valid = true;
};

std::string own_program() {
  std::array<char, 4096> path;
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  return {path.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

Command parse(const std::vector<std::string>& arguments) {
  Command command;
  command.options.program = own_program();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--only" && i + 1 < arguments.size()) {
      command.only = arguments[++i];
    } else if (word == "--short" || word == "--json" || word == "--list") {
      (word == "--short" ? command.options.short_form : word == "--json" ? command.json : command.list) = true;
    } else {
      command.valid = false;
    }
  }
  return command;
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (auto* group : {life_table::death_cases, life_table::identity_cases, life_table::copy_cases,
                      life_table::memory_cases, life_table::crowd_cases, life_table::cost_cases}) {
    for (Case& one : group()) {
      all.push_back(std::move(one));
    }
  }
  return all;
}

std::vector<Row> run(const Case& one, const Options& options) {
  try {
    return one.run(options);
  } catch (const std::exception& error) {
    return {Row{.what = one.name, .expected = "no error", .seen = error.what()}};
  }
}

const char* word(Verdict verdict) {
  return verdict == Verdict::right ? "right" : verdict == Verdict::wrong ? "WRONG" : "skipped";
}

double most(const Row& row) { return row.notice.empty() ? 0 : *std::ranges::max_element(row.notice); }

std::string notice_text(const Row& row) {
  if (row.notice.empty()) {
    return "";
  }
  std::array<char, 128> text;
  const int length = row.notice.size() == 1
                         ? std::snprintf(text.data(), text.size(), "%.1f ms", row.notice.front())
                         : std::snprintf(text.data(), text.size(), "%.1f ms (max %.1f, %zu trials)",
                                         life_table::median(row.notice), most(row), row.notice.size());
  return {text.data(), static_cast<std::size_t>(length)};
}

void print(const Row& row) {
  std::printf("%-49s | %-7s | %-32s | %s\n", row.what.c_str(), word(row.verdict), notice_text(row).c_str(),
              row.expected.c_str());
  if (row.verdict == Verdict::wrong) {
    std::printf("%-49s |         | seen: %s\n", "", row.seen.c_str());
  }
  if (!row.remark.empty()) {
    std::printf("%-49s |         | %s\n", "", row.remark.c_str());
  }
  std::fflush(stdout);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    out += letter == '"' || letter == '\\' ? "\\" : "";
    out += letter == '\n' ? ' ' : letter;
  }
  return out + "\"";
}

void print_json(const Row& row) {
  std::printf("{\"case\":%s,\"expected\":%s,\"seen\":%s,\"notice_ms\":", quoted(row.what).c_str(),
              quoted(row.expected).c_str(), quoted(row.seen).c_str());
  if (row.notice.empty()) {
    std::printf("null");
  } else {
    std::printf("{\"median\":%.3f,\"max\":%.3f,\"trials\":%zu,\"limit\":%.0f}", life_table::median(row.notice),
                most(row), row.notice.size(), row.notice_limit);
  }
  std::printf(",\"verdict\":\"%s\",\"remark\":%s}\n", word(row.verdict), quoted(row.remark).c_str());
  std::fflush(stdout);
}

// The version stands in a layout, which includes nothing, and in the build.
Row version_row() {
  Row row{.what = "the version that life files bear", .expected = PROJECT_VERSION_TEXT};
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%u.%u.%u", tenon::life_library_version >> 16,
                tenon::life_library_version >> 8 & 255, tenon::life_library_version & 255);
  row.seen = text.data();
  return life_table::judged(std::move(row));
}

bool run_all(const Command& command) {
  life_table::widen_limits(command.options.short_form ? life_table::short_form_allowance : 1);
  std::vector<Row> rows;
  auto add = [&](Row row) {
    (command.json ? print_json : print)(row);
    rows.push_back(std::move(row));
  };
  if (!command.json) {
    std::printf("%-49s | %-7s | %-32s | %s\n", "case", "verdict", "time to notice", "expected and seen");
  }
  if (command.only.empty()) {
    add(version_row());
  }
  for (const Case& one : all_cases()) {
    for (Row& row : one.name.find(command.only) == std::string::npos ? std::vector<Row>() : run(one, command.options)) {
      add(std::move(row));
    }
  }
  return !rows.empty() && std::ranges::none_of(rows, [](const Row& row) { return row.verdict == Verdict::wrong; });
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (!words.empty() && words.front() == "--as-member") {
    return life_table::play_member_after_exec({words.begin() + 1, words.end()});
  }
  const Command command = parse(words);
  if (!command.valid) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (command.list) {
    for (const Case& one : all_cases()) {
      std::printf("%s\n", one.name.c_str());
    }
    return 0;
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // the children of the killed come here, and go with this process
  const rlimit many{.rlim_cur = 4096, .rlim_max = 4096};
  ::setrlimit(RLIMIT_NOFILE, &many);  // two pipes and a pidfd for each of 200 actors
  return run_all(command) ? 0 : 1;
}
