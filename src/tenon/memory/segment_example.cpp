/// Two processes count words in one map. The first is killed in the middle of its work; the second is told, finds the
/// map whole, and goes on.
#include <tenon/memory/fixed_string.hpp>
#include <tenon/memory/map.hpp>
#include <tenon/memory/segment.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>

using namespace tenon;

namespace {

using Counts = Map<FixedString<24>, std::uint64_t>;

void count(LockedSegment& segment, Counts& counts, const FixedString<24>& word) {
  const auto found = counts.find(segment, word);
  counts.insert_or_assign(segment, word, found ? **found + 1 : 1).or_throw();
}

// Knows the name alone; whoever knows it could stand in its place.
int count_and_die(const std::string& name) {
  Segment segment = Segment::open(name).or_throw();
  LockedSegment locked = segment.lock(never).or_throw();
  Counts& counts = *locked.find_or_construct<Counts>("words").or_throw();
  for (const char* word : {"mortise", "tenon", "mortise"}) {
    count(locked, counts, FixedString<24>::make(word).or_throw());
  }
  return ::raise(SIGKILL);  // with the lock held
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string name = argc > 1 ? argv[1] : "/words-" + std::to_string(::getpid());
  // 64 KiB of memory, and addresses for it to grow to 64 MiB.
  Segment segment = Segment::create(name, {.bytes = 64 << 10, .most = 64 << 20}).or_throw();
  const UnlinkOnExit named(Segment::unlink, name);

  Child child = spawn([&] { return count_and_die(name); }).or_throw();
  std::printf("The first process %s.\n", child.wait(never).or_throw().message().c_str());

  LockedSegment locked = segment.lock(after(std::chrono::seconds(10))).or_throw();
  std::printf("The lock was free again, and its holder %s.\n", locked.recovered() ? "had died" : "had not died");
  Counts& counts = *locked.find_or_construct<Counts>("words").or_throw();
  count(locked, counts, "dovetail");
  counts
      .for_each(locked,
                [](const FixedString<24>& word, std::uint64_t times) {
                  std::printf("%.*s: %llu\n", static_cast<int>(word.size()), word.view().data(),
                              static_cast<unsigned long long>(times));
                })
      .or_throw();
  return locked.recovered() && counts.size() == 3 ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
