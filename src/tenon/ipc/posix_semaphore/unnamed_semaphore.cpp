#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>

#include <cerrno>
#include <cstdint>
#include <string>

namespace tenon {

namespace {

Result<sem_t*> place_in(MutableBytes memory) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(memory.data()) % UnnamedSemaphore::alignment == 0;
  if (memory.size() < UnnamedSemaphore::size || !aligned) {
    return fail(Error(Errc::invalid_argument, "sem_init")
                    .because("a semaphore needs " + std::to_string(UnnamedSemaphore::size) +
                             " bytes at an address that is a multiple of " +
                             std::to_string(UnnamedSemaphore::alignment)));
  }
  return reinterpret_cast<sem_t*>(memory.data());
}

}  // namespace

Result<UnnamedSemaphore> UnnamedSemaphore::create(MutableBytes memory, unsigned value, Sharing sharing) {
  return place_in(memory).and_then([&](sem_t* place) -> Result<UnnamedSemaphore> {
    if (auto possible = check_value(value, "sem_init"); !possible) {
      return fail(std::move(possible.error()));
    }
    if (::sem_init(place, sharing == Sharing::processes ? 1 : 0, value) == -1) {
      return fail(os_failure("sem_init", errno));
    }
    return UnnamedSemaphore(place);
  });
}

Result<UnnamedSemaphore> UnnamedSemaphore::open(MutableBytes memory) {
  return place_in(memory).transform([](sem_t* place) { return UnnamedSemaphore(place); });
}

}  // namespace tenon
