// What a doorbell's calls cost beside the bare ones, in pairs of blocks.
#include <tenon/ipc/eventfd/eventfd.hpp>

#include <harness/byte_stream.hpp>

#include <cstdio>
#include <memory>
#include <unistd.h>

using namespace tenon;

namespace {

struct Pair {
  EventFd there = EventFd::create().or_throw();
  EventFd back = EventFd::create().or_throw();
};

void must(bool as_expected) {
  if (!as_expected) {
    throw Failure(Error(Errc::io_error, "eventfd"));
  }
}

void bare_post(const EventFd& bell) {
  const std::uint64_t one = 1;
  must(::write(bell.fd().raw(), &one, sizeof one) == sizeof one);
}

void bare_wait(const EventFd& bell) {
  std::uint64_t count = 0;
  must(::read(bell.fd().raw(), &count, sizeof count) == sizeof count);
}

harness::StreamPair alone() {
  const auto pair = std::make_shared<Pair>();
  return {.name = "posted and waited for",
          .bare = harness::done_by_one_process("write, read",
                                               [=] {
                                                 bare_post(pair->there);
                                                 bare_wait(pair->there);
                                               }),
          .wrapped = harness::done_by_one_process("post, wait", [=] {
            pair->there.post(1, never).or_throw();
            must(pair->there.wait(never).or_throw() == 1);
          })};
}

harness::StreamPair between(harness::StreamPair::Where where) {
  const auto pair = std::make_shared<Pair>();
  const auto nothing = [] {};
  return {.name = "there and back",
          .bare = harness::done_by_two_processes(
              "there and back", nothing,
              [=] {
                bare_post(pair->there);
                bare_wait(pair->back);
              },
              [=] {
                bare_wait(pair->there);
                bare_post(pair->back);
              }),
          .wrapped = harness::done_by_two_processes(
              "there and back", nothing,
              [=] {
                pair->there.post(1, never).or_throw();
                pair->back.wait(never).or_throw();
              },
              [=] {
                pair->there.wait(never).or_throw();
                pair->back.post(1, never).or_throw();
              }),
          .where = where};
}

}  // namespace

int main() try {
  return harness::print_paired("eventfd", {alone(), between(harness::StreamPair::Where::one_core),
                                           between(harness::StreamPair::Where::across_cores)});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
