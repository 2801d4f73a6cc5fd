// Loaded before the C library by without_the_post_test.sh: every post says that it was done, and is not.
#include <ctime>
#include <semaphore.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" int sem_post(sem_t*) noexcept { return 0; }

extern "C" int semtimedop(int id, sembuf* steps, std::size_t count, const timespec* timeout) noexcept {
  const bool gives = count > 0 && steps[0].sem_op > 0;
  return gives ? 0 : static_cast<int>(::syscall(SYS_semtimedop, id, steps, count, timeout));
}
