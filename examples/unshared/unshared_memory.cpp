/// Leaves the send out of programs that share memory: loaded before the C library (LD_PRELOAD), it gives each process
/// that maps memory for writing a copy of its own, so that nobody else sees what it writes. ld.so(8)
#include <cerrno>
#include <cstddef>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

void* map(void* address, std::size_t length, int protection, int flags, int file, off_t offset) {
  const bool shared_for_writing = (flags & MAP_TYPE) == MAP_SHARED && (protection & PROT_WRITE) != 0;
  const int own_flags = shared_for_writing ? (flags & ~MAP_TYPE) | MAP_PRIVATE : flags;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, length, protection, own_flags, file, offset));
}

}  // namespace

extern "C" {

void* mmap(void* address, std::size_t length, int protection, int flags, int file, off_t offset) noexcept {
  return map(address, length, protection, flags, file, offset);
}

void* mmap64(void* address, std::size_t length, int protection, int flags, int file, off64_t offset) noexcept {
  return map(address, length, protection, flags, file, offset);
}

void* shmat(int id, const void* address, int flags) noexcept {
  if ((flags & SHM_RDONLY) != 0) {
    return reinterpret_cast<void*>(::syscall(SYS_shmat, id, address, flags));
  }
  shmid_ds status{};
  if (::shmctl(id, IPC_STAT, &status) == -1) {
    return MAP_FAILED;  // which is what shmat(2) says too
  }
  return map(nullptr, status.shm_segsz, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
}
