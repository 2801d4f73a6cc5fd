// What sealed memory costs beside the bare calls, in pairs of blocks.
#include <tenon/ipc/memfd/memfd.hpp>

#include <harness/byte_stream.hpp>

#include <cstdio>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

using namespace tenon;

namespace {

constexpr std::size_t size = 65536;

void must(bool done, const char* call) {
  if (!done) {
    throw Failure(os_failure(call, errno));
  }
}

void make_bare() {
  const Fd file = fd_from(::memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create").or_throw();
  must(::posix_fallocate(file.raw(), 0, size) == 0, "posix_fallocate");
}

void make_wrapped() { const Memfd memory = Memfd::create("bench", size).or_throw(); }

void map_bare(int file) {
  must((::fcntl(file, F_GET_SEALS) & F_SEAL_SHRINK) != 0, "fcntl");
  struct stat status{};
  must(::fstat(file, &status) == 0, "fstat");
  void* const start = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_SHARED, file, 0);
  must(start != MAP_FAILED, "mmap");
  ::munmap(start, static_cast<std::size_t>(status.st_size));
}

}  // namespace

int main() try {
  Memfd memory = Memfd::create("bench", size).or_throw();
  memory.seal(Seals::shrink).or_throw();
  return harness::print_paired(
      "memfd", {{.name = "64 KiB made and closed",
                 .bare = harness::done_by_one_process("memfd_create", make_bare),
                 .wrapped = harness::done_by_one_process("create", make_wrapped)},
                {.name = "seals seen, mapped, unmapped",
                 .bare = harness::done_by_one_process("mmap", [file = memory.fd().raw()] { map_bare(file); }),
                 .wrapped = harness::done_by_one_process(
                     "map", [&] { const auto mapped = memory.map(Access::read, Seals::shrink).or_throw(); })}});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
