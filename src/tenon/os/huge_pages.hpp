#pragma once
/// Pages of some megabytes, out of a pool that the administrator has filled. hugetlbpage, proc_meminfo(5)
#include <tenon/base/result.hpp>

#include <cstddef>
#include <cstdint>

namespace tenon {

enum class Pages : unsigned char { ordinary, huge };

/// The machine's pool of huge pages of the default size.
struct HugePages {
  std::size_t page;     ///< bytes of one
  std::uint64_t total;  ///< in the pool
  std::uint64_t free;   ///< of these, neither in use nor promised
};
/// Failures: not_supported (a kernel without them, or /proc is not mounted).
Result<HugePages> huge_pages();

/// Checks a size to be had in huge pages: a whole number of them. Failures: invalid_argument, not_supported.
Result<void> check_huge_size(const char* call, std::size_t bytes);

/// Failure of a call that wanted `bytes` in huge pages: names vm.nr_hugepages with what is free, and whose right is
/// missing.
Error huge_page_failure(const char* call, int os_error, std::size_t bytes);

}  // namespace tenon
