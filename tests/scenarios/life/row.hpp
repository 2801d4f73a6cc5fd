#pragma once
/// A line of the table: what should be seen of a member, what was, and how soon.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace life_table {

enum class Verdict : std::uint8_t { right, wrong, skipped };

struct Row {
  std::string what;
  std::string expected;
  std::string seen = {};
  /// Milliseconds from the event to its being known, one for each trial; empty where there is nothing to notice.
  std::vector<double> notice = {};
  double notice_limit = 0;  ///< for the median; 0: none
  Verdict verdict = Verdict::wrong;
  std::string remark = {};  ///< why it was skipped, or further figures
};

double median(std::vector<double> values);

/// What was seen is what was expected, and the median is within the limit.
Row judged(Row row);
/// For the short form, which runs among other tests on machines that others share: its limits on times are so many
/// times wider. What they are held to is the long form's.
constexpr double short_form_allowance = 4;
void widen_limits(double times);
Row skipped(Row row, const std::string& why);

struct Options {
  bool short_form = false;
  std::string program;  ///< its own path, for those who exec
};

/// A case gives one row or several.
struct Case {
  std::string name;
  std::function<std::vector<Row>(const Options&)> run;
};

std::vector<Case> death_cases();
std::vector<Case> identity_cases();
std::vector<Case> copy_cases();
std::vector<Case> memory_cases();
std::vector<Case> crowd_cases();
std::vector<Case> cost_cases();

/// The other program that an exec starts: life_table --as-member DOMAIN SAYS HEARS OLD_TOKEN
int play_member_after_exec(const std::vector<std::string>& arguments);

}  // namespace life_table
