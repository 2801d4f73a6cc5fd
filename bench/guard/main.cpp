// guard OPERATIONS [NAME…]: does the hot paths, or those whose names contain one of these, for compare.py to count.
#include <tenon/os/domain.hpp>
#include <tenon/os/life.hpp>
#include <guard/rooms.hpp>
#include <topic/start_domain.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace {

void count_all(guard::Paths& paths) {
  guard::count_rings(paths);
  guard::count_kernel_queues(paths);
  guard::count_kernel_streams(paths);
  const topics::DomainsOfRun domains;
  alignas(tenon::cache_line) std::array<std::byte, topics::start_bytes> start{};
  topics::new_domain(start);
  const topics::Member member(start);
  const tenon::Holder& self = member.holder();
  guard::count_locks(paths, self);
  guard::count_topics(paths, self);
  guard::count_queues(paths, self);
  guard::count_streams(paths, self);
  guard::count_services(paths, self);
  guard::count_boards(paths, self);
}

}  // namespace

int main(int argc, char** argv) try {
  const int operations = argc > 1 ? std::atoi(argv[1]) : 0;
  if (operations < 1) {
    std::fprintf(stderr, "usage: guard OPERATIONS [NAME…]\n");
    return 2;
  }
  guard::Paths paths(operations, {argv + 2, argv + argc});
  count_all(paths);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "guard: %s\n", error.what());
  return 1;
}
