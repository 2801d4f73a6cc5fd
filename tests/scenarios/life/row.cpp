#include "row.hpp"

#include <algorithm>

namespace life_table {

double median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

namespace {
double allowance = 1;
}  // namespace

void widen_limits(double times) { allowance = times; }

Row judged(Row row) {
  const double limit = row.notice_limit * allowance;
  const bool soon = limit <= 0 || (!row.notice.empty() && median(row.notice) <= limit);
  row.verdict = row.seen == row.expected && soon ? Verdict::right : Verdict::wrong;
  return row;
}

Row skipped(Row row, const std::string& why) {
  row.verdict = Verdict::skipped;
  row.remark = why;
  return row;
}

}  // namespace life_table
