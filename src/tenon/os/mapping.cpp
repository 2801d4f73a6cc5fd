#include <tenon/os/mapping.hpp>

#include <tenon/os/procfs.hpp>

#include <cerrno>
#include <sys/mman.h>

namespace tenon {

namespace {

constexpr int protection_of(Access access) { return access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE; }

}  // namespace

// ENOMEM means either too little address space or too many maps; counting tells which.
Error map_failure(const char* call, int os_error) {
  if (os_error == ENOMEM) {
    const auto limit = procfs::number("/proc/sys/vm/max_map_count");
    const auto maps = procfs::count_lines("/proc/self/maps");
    if (limit && maps && *maps + 1 >= *limit) {
      return Error(Errc::limit_reached, call, os_error)
          .with({.name = "vm.max_map_count",
                 .value = *limit,
                 .wanted = *maps + 1,
                 .remedy = "raise it with: sysctl -w vm.max_map_count=N"});
    }
  }
  return os_failure(call, os_error);
}

// Inline, for what a shared library exports is otherwise called as a function even here.
inline Result<Mapping> Mapping::map(int fd, std::size_t offset, std::size_t size, int protection, int flags) {
  void* start = ::mmap(nullptr, size, protection, flags, fd, static_cast<off_t>(offset));
  if (start == MAP_FAILED) {
    return fail(map_failure("mmap", errno));
  }
  return Mapping(static_cast<std::byte*>(start), size);
}

Result<Mapping> Mapping::of_file(FdView file, std::size_t size, Access access) {
  return map(file.raw(), 0, size, protection_of(access), MAP_SHARED);
}

Result<Mapping> Mapping::of_file(FdView file, std::size_t offset, std::size_t size, Access access) {
  return map(file.raw(), offset, size, protection_of(access), MAP_SHARED);
}

Result<Mapping> Mapping::shared_with_children(std::size_t size) {
  return map(-1, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
}

void Mapping::unmap() noexcept { ::munmap(start_, size_); }

Result<void> Mapping::close() && {
  std::byte* start = std::exchange(start_, nullptr);
  if (start != nullptr && ::munmap(start, std::exchange(size_, 0)) == -1) {
    return fail(os_failure("munmap", errno));
  }
  return {};
}

}  // namespace tenon
