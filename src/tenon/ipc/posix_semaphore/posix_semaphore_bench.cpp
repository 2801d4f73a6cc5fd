// What a semaphore's calls cost beside the bare ones, in pairs of blocks.
#include <tenon/ipc/posix_semaphore/named_semaphore.hpp>
#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>

#include <tenon/os/mapping.hpp>
#include <tenon/os/token.hpp>
#include <harness/byte_stream.hpp>

#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <string>

using namespace tenon;

namespace {

void must(bool as_expected) {
  if (!as_expected) {
    throw Failure(Error(Errc::io_error, "semaphore"));
  }
}

/// Two semaphores in memory that both processes have.
struct Pair {
  Mapping memory = Mapping::shared_with_children(4096).or_throw();
  UnnamedSemaphore there = UnnamedSemaphore::create(memory.bytes(), 0).or_throw();
  UnnamedSemaphore back = UnnamedSemaphore::create(memory.bytes().subspan(1024), 0).or_throw();

  void reset() const {
    ::sem_init(there.native(), 1, 0);
    ::sem_init(back.native(), 1, 0);
  }
};

void bare_give_and_take(sem_t* give, sem_t* take) {
  must(::sem_post(give) == 0);
  while (::sem_wait(take) == -1) {
  }
}

harness::StreamPair alone() {
  const auto pair = std::make_shared<Pair>();
  const auto wrapped = [=] {
    pair->there.post().or_throw();
    pair->there.wait(never).or_throw();
  };
  return {.name = "posted and waited for",
          .bare = harness::done_by_one_process("sem_post, sem_wait",
                                               [=] { bare_give_and_take(pair->there.native(), pair->there.native()); }),
          .wrapped = harness::done_by_one_process("post, wait", wrapped)};
}

harness::StreamPair between(harness::StreamPair::Where where) {
  const auto pair = std::make_shared<Pair>();
  const auto reset = [=] { pair->reset(); };
  const auto bare_first = [=] { bare_give_and_take(pair->there.native(), pair->back.native()); };
  const auto bare_second = [=] {
    while (::sem_wait(pair->there.native()) == -1) {
    }
    must(::sem_post(pair->back.native()) == 0);
  };
  const auto first = [=] {
    pair->there.post().or_throw();
    pair->back.wait(never).or_throw();
  };
  const auto second = [=] {
    pair->there.wait(never).or_throw();
    pair->back.post().or_throw();
  };
  return {.name = "there and back",
          .bare = harness::done_by_two_processes("there and back", reset, bare_first, bare_second),
          .wrapped = harness::done_by_two_processes("there and back", reset, first, second),
          .where = where};
}

harness::StreamPair opened(const std::string& name) {
  return {.name = "opened and closed",
          .bare = harness::done_by_one_process("sem_open",
                                               [=] {
                                                 sem_t* open = ::sem_open(name.c_str(), 0);
                                                 must(open != SEM_FAILED);
                                                 ::sem_close(open);
                                               }),
          .wrapped = harness::done_by_one_process(
              "NamedSemaphore", [=] { const auto semaphore = NamedSemaphore::open(name).or_throw(); })};
}

}  // namespace

int main() try {
  const std::string name = "/semaphore-bench-" + Token::random().hex();
  const NamedSemaphore made = NamedSemaphore::create(name, 0).or_throw();
  const int code =
      harness::print_paired("posix_semaphore", {alone(), between(harness::StreamPair::Where::one_core),
                                                between(harness::StreamPair::Where::across_cores), opened(name)});
  NamedSemaphore::unlink(name).or_throw();
  return code;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
