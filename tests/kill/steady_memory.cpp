// The allocator of the kill table. A process that is stepped through takes its memory from a region of its own, one
// piece behind the other, and gives nothing back: so it takes the same path in each trial. All others have the C
// library's. malloc(3)
#include <kit/steady.hpp>
#include <tenon/base/contract.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <malloc.h>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);
}

namespace {

constexpr std::size_t region_bytes = std::size_t{64} << 20;
constexpr std::size_t alignment_of_all = alignof(std::max_align_t);

alignas(4096) char region[region_bytes];
std::size_t used = 0;

// Fresh memory is zero. The size stands before it, for realloc().
void* take(std::size_t size, std::size_t alignment) {
  const std::size_t begin = (used + alignment_of_all + alignment - 1) / alignment * alignment;
  tenon::expects(begin < region_bytes && size <= region_bytes - begin, "an operation needs less than 64 MiB");
  used = begin + size;
  std::memcpy(region + begin - sizeof(size), &size, sizeof(size));
  return region + begin;
}

bool is_taken(const void* memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const auto begin = reinterpret_cast<std::uintptr_t>(&region[0]);
  return address >= begin && address < begin + region_bytes;
}

std::size_t size_of(void* memory) {
  if (!is_taken(memory)) {
    return ::malloc_usable_size(memory);
  }
  std::size_t size = 0;
  std::memcpy(&size, static_cast<char*>(memory) - sizeof(size), sizeof(size));
  return size;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) { return kit::wants_steady_memory ? take(size, alignment_of_all) : __libc_malloc(size); }

void* calloc(std::size_t count, std::size_t size) {
  return kit::wants_steady_memory ? take(count * size, alignment_of_all) : __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) {
  if (!kit::wants_steady_memory) {
    return __libc_realloc(old, size);
  }
  void* fresh = take(size, alignment_of_all);
  if (old != nullptr) {
    const std::size_t before = size_of(old);
    std::memcpy(fresh, old, before < size ? before : size);
  }
  return fresh;
}

void* memalign(std::size_t alignment, std::size_t size) {
  return kit::wants_steady_memory ? take(size, alignment < alignment_of_all ? alignment_of_all : alignment)
                                  : __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

// What was there before the fork is not given back either: the way that it would take depends on the rest.
void free(void* memory) {
  if (!kit::wants_steady_memory) {
    __libc_free(memory);
  }
}

}  // extern "C"
