#include <kit/kill_report.hpp>

#include <algorithm>
#include <string_view>

namespace kit {

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      out += '\\';
      out += letter;
    } else {
      out += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
    }
  }
  return out + '"';
}

const char* verdict(const KillReport& report) {
  if (!report.struck_at_all()) {
    return "NOTHING TRIED";
  }
  if (!report.in_place()) {
    return "OUT OF PLACE";
  }
  if (!report.enough()) {
    return "TOO FEW TRIED";
  }
  if (report.control) {
    return report.clean() ? "CONTROL PASSES" : "fails as it must";
  }
  return report.clean() ? "clean" : "NOT SAFE";
}

void print_line(std::FILE* to, const KillReport& r) {
  const std::string tried = std::to_string(r.tried) + (r.tried < r.points ? "/" + std::to_string(r.points) : "");
  std::fprintf(to, "%-26s %-5s %-8s %8zu %13s %8zu %6zu %6zu %6zu %7zu %5zu %8.1f  %s\n", r.operation.c_str(),
               r.build.c_str(), r.mode.c_str(), r.instructions, tried.c_str(), r.states, r.hangs, r.leaks, r.broken,
               r.ended_early, r.late, r.seconds, verdict(r));
}

}  // namespace

void print_table(std::FILE* to, std::span<const KillReport> reports) {
  std::fprintf(to, "%-26s %-5s %-8s %8s %13s %8s %6s %6s %6s %7s %5s %8s  %s\n", "operation", "build", "mode", "instr.",
               "points", "states", "hangs", "leaks", "broken", "early", "late", "seconds", "result");
  for (const KillReport& report : reports) {
    print_line(to, report);
  }
  for (const KillReport& report : reports) {
    const std::size_t shown = report.as_expected() ? 0 : report.stories.size();
    for (std::size_t i = 0; i < shown; ++i) {
      std::fprintf(to, "%s, %s: %s\n", report.operation.c_str(), report.mode.c_str(), report.stories[i].c_str());
    }
  }
}

std::string json_line(const KillReport& r) {
  std::string out = "{\"operation\":" + quoted(r.operation) + ",\"build\":" + quoted(r.build) +
                    ",\"mode\":" + quoted(r.mode) + ",\"control\":" + (r.control ? "true" : "false");
  auto number = [&](const char* name, auto value) { out += std::string(",\"") + name + "\":" + std::to_string(value); };
  number("instructions", r.instructions);
  number("points", r.points);
  number("wanted", r.wanted);
  number("tried", r.tried);
  number("struck", r.struck);
  number("killed", r.killed);
  number("states", r.states);
  number("hangs", r.hangs);
  number("leaks", r.leaks);
  number("broken", r.broken);
  number("ended_early", r.ended_early);
  number("late", r.late);
  number("seconds", r.seconds);
  number("seed", r.seed);
  out += ",\"result\":" + quoted(verdict(r)) + ",\"stories\":[";
  for (std::size_t i = 0; i < r.stories.size(); ++i) {
    out += (i == 0 ? "" : ",") + quoted(r.stories[i]);
  }
  return out + "]}";
}

}  // namespace kit
