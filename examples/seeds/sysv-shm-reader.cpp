/// Prints what sysv-shm-writer has put into its System V segment.
#include "shared_data.hpp"
#include "text.hpp"

#include <tenon/os/backoff.hpp>
#include <tenon/os/futex.hpp>

using namespace tenon;

namespace {

// Nothing tells that a key has come to lead somewhere, so it is asked, more and more seldom.
Result<SysvMemory> await_segment(SysvKey key, Deadline deadline) {
  Backoff backoff(deadline);
  while (true) {
    auto opened = SysvMemory::open(key);
    if (!opened.failed_with(Errc::not_found)) {
      return opened;
    }
    if (auto waited = backoff.sleep(); !waited) {
      return fail(std::move(waited.error()).on(key.text()).because("no writer has made a segment"));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return seeds::run([&] {
    const SysvMemory memory = await_segment(seeds::key_from(argc, argv), seeds::soon()).or_throw();
    if (memory.size() < sizeof(seeds::SharedData)) {
      throw Failure(Error(Errc::corrupt).because("the segment at this key is not the writer's"));
    }
    const Mapping shared = memory.attach(Access::read_write).or_throw();
    seeds::SharedData& data = seeds::data_in(shared);
    if (data.message[0] == '\0') {
      throw Failure(Error(Errc::corrupt).because("the segment holds no message"));
    }
    seeds::say("Reader: " + seeds::text_of(data));
    data.read.store(1, std::memory_order_release);  // S1
    futex_wake_all(data.read);
    return 0;
  });
}
