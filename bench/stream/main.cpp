// stream: what a stream reaches of a bare ring of bytes, and how it stands beside a pipe.
#include <stream/row.hpp>
#include <topic/program.hpp>

#include <algorithm>
#include <iterator>

namespace {

std::vector<topics::Row> all_rows(limits::Extent) {
  const std::vector<std::size_t> sizes = {64, 4 << 10, 1 << 20};
  auto rows = streams::rows_of(sizes, tenon::Waiting::spin);
  std::ranges::move(streams::rows_of(sizes, tenon::Waiting::adaptive), std::back_inserter(rows));
  std::ranges::stable_sort(rows, {}, &topics::Row::group);
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  return topics::run_program({.name = "stream",
                              .about = "Streams beside a bare ring of bytes and a pipe, in pairs of blocks.\n\n"
                                       "Example: stream --quick 'one way, 64 B'",
                              .rows = all_rows},
                             argc, argv);
}
