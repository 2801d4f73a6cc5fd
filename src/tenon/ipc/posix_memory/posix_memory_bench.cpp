// What named memory costs beside the bare calls, in pairs of blocks.
#include <tenon/ipc/posix_memory/posix_memory.hpp>

#include <tenon/os/token.hpp>
#include <tenon/os/unlink_on_exit.hpp>
#include <harness/byte_stream.hpp>

#include <cstdio>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tenon;

namespace {

constexpr std::size_t size = 65536;

void must(bool done, const char* call) {
  if (!done) {
    throw Failure(os_failure(call, errno));
  }
}

std::string fresh_name() { return "/memory-bench-" + Token::random().hex(); }

// As the documents make it, with the one thing that they leave out: memory behind it.
void make_bare(const std::string& name) {
  const Fd file = fd_from(::shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600), "shm_open").or_throw();
  must(::posix_fallocate(file.raw(), 0, size) == 0, "posix_fallocate");
  ::shm_unlink(name.c_str());
}

void make_wrapped(const std::string& name) {
  const PosixMemory memory = PosixMemory::create(name, size).or_throw();
  PosixMemory::unlink(name).or_throw();
}

void open_bare(const std::string& name) {
  const Fd file = fd_from(::shm_open(name.c_str(), O_RDWR, 0), "shm_open").or_throw();
  struct stat status{};
  must(::fstat(file.raw(), &status) == 0, "fstat");
  void* const start =
      ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ | PROT_WRITE, MAP_SHARED, file.raw(), 0);
  must(start != MAP_FAILED, "mmap");
  ::munmap(start, static_cast<std::size_t>(status.st_size));
}

void open_wrapped(const std::string& name) {
  const auto memory = PosixMemory::open(name, Access::read_write).or_throw().map(Access::read_write).or_throw();
}

harness::StreamPair pair_of(const std::string& what, void (*bare)(const std::string&),
                            void (*wrapped)(const std::string&), const std::string& name) {
  return {.name = what,
          .bare = harness::done_by_one_process("bare", [=] { bare(name); }),
          .wrapped = harness::done_by_one_process("PosixMemory", [=] { wrapped(name); })};
}

}  // namespace

int main() try {
  const std::string existing = fresh_name();
  const PosixMemory memory = PosixMemory::create(existing, size).or_throw();
  const UnlinkOnExit name(PosixMemory::unlink, existing);
  return harness::print_paired("posix memory",
                               {pair_of("64 KiB made and removed", make_bare, make_wrapped, fresh_name()),
                                pair_of("opened, mapped, unmapped", open_bare, open_wrapped, existing)});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
