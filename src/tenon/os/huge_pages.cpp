#include <tenon/os/huge_pages.hpp>

#include <tenon/os/procfs.hpp>

#include <cerrno>
#include <string>

namespace tenon {

Result<HugePages> huge_pages() {
  const auto page = procfs::memory("Hugepagesize");
  const auto total = procfs::memory("HugePages_Total");
  const auto free = procfs::memory("HugePages_Free");
  const auto promised = procfs::memory("HugePages_Rsvd");
  if (!page || !total || !free || !promised) {
    return fail(Error(Errc::not_supported).because("/proc/meminfo knows of no huge pages here"));
  }
  return HugePages{.page = *page, .total = *total, .free = *free - *promised};
}

Result<void> check_huge_size(const char* call, std::size_t bytes) {
  const auto pages = huge_pages();
  if (!pages) {
    return fail(pages.error());
  }
  if (bytes % pages->page != 0) {
    return fail(Error(Errc::invalid_argument, call)
                    .because("huge pages come whole: the size must be a multiple of " + std::to_string(pages->page)));
  }
  return {};
}

Error huge_page_failure(const char* call, int os_error, std::size_t bytes) {
  const auto pages = huge_pages();
  if (!pages) {
    return Error(Errc::not_supported, call, os_error).because(pages.error().detail());
  }
  if (os_error == EPERM) {
    return os_failure(call, os_error)
        .because("huge pages need CAP_IPC_LOCK, or the group that is named in vm.hugetlb_shm_group");
  }
  const std::uint64_t wanted = (bytes + pages->page - 1) / pages->page;
  if ((os_error == ENOMEM || os_error == ENOSPC) && wanted > pages->free) {
    return Error(Errc::limit_reached, call, os_error)
        .with({.name = "number of free huge pages (vm.nr_hugepages)",
               .value = pages->free,
               .wanted = wanted,
               .remedy =
                   "raise it with: sysctl -w vm.nr_hugepages=" + std::to_string(pages->total - pages->free + wanted)});
  }
  return os_failure(call, os_error);
}

}  // namespace tenon
