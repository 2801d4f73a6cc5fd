#include <tenon/sync/robust_list.hpp>

#include <tenon/os/system_call.hpp>
#include <tenon/sync/locker.hpp>

#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <linux/futex.h>
#include <memory>
#include <string_view>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace tenon {

namespace {

// What the kernel walks, and no further; a list that changes under the eyes of who walks it may seem to have no end.
constexpr std::size_t longest_walk = 2048;

Result<robust_list_head*> head_of(pid_t thread) {
  robust_list_head* head = nullptr;
  std::size_t size = 0;
  if (::syscall(SYS_get_robust_list, thread, &head, &size) == -1) {
    return fail(os_failure("get_robust_list", errno));
  }
  return head;
}

// The lowest bit of a link says that the lock hands down priorities.
std::uintptr_t without_mark(std::uintptr_t link) noexcept { return link & ~std::uintptr_t{1}; }
const robust_list* without_mark(const robust_list* link) noexcept {
  return reinterpret_cast<const robust_list*>(without_mark(reinterpret_cast<std::uintptr_t>(link)));
}

// Reads as the kernel would: what is gone by now is an error and not the end of this process.
bool read_own(std::uintptr_t at, void* into, std::size_t size) noexcept {
  const iovec local{.iov_base = into, .iov_len = size};
  const iovec remote{.iov_base = reinterpret_cast<void*>(at), .iov_len = size};
  return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

/// Calls `visit` with the address of each lock's word in one thread's list, until the list ends or cannot be read.
template <class Visit>
void walk(robust_list_head* head, Visit visit) noexcept {
  robust_list_head copy{};
  if (!read_own(reinterpret_cast<std::uintptr_t>(head), &copy, sizeof copy)) {
    return;
  }
  std::uintptr_t link = without_mark(reinterpret_cast<std::uintptr_t>(copy.list.next));
  for (std::size_t i = 0; i < longest_walk && link != reinterpret_cast<std::uintptr_t>(&head->list); ++i) {
    visit(link + static_cast<std::uintptr_t>(copy.futex_offset));
    if (!read_own(link, &link, sizeof link)) {
      return;
    }
    link = without_mark(link);
  }
}

std::size_t held_by(robust_list_head* head, Bytes memory) noexcept {
  const auto start = reinterpret_cast<std::uintptr_t>(memory.data());
  std::size_t held = 0;
  walk(head, [&](std::uintptr_t word) { held += word - start < memory.size() ? 1 : 0; });
  return held;
}

}  // namespace

constinit thread_local std::uint32_t RobustList::count_ = not_counted;

// This thread's own list is read as it stands: the C library itself writes to its first entry with each lock.
bool RobustList::look_for_room(std::uint32_t wanted) noexcept {
  if (count_ == not_counted) {
    (void)Locker::self();
    count_ = 0;
    return true;
  }
  const auto head = head_of(0);
  if (!head || *head == nullptr) {
    return false;
  }
  std::uint32_t held = 0;
  const robust_list* entry = without_mark((*head)->list.next);
  for (; entry != &(*head)->list && held <= most; ++held) {
    entry = without_mark(entry->next);
  }
  count_ = held;
  return held <= most - wanted;
}

Error RobustList::no_room(std::uint32_t wanted) {
  return Error(Errc::limit_reached, "pthread_mutex_lock")
      .because("a lock that is held beyond it would stay locked if this thread died")
      .with({.name = "robust locks held by one thread",
             .value = most,
             .wanted = count_ + wanted,
             .remedy = "hold fewer at once, or hold them in several threads"});
}

Result<std::size_t> RobustList::held_in(Bytes memory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> threads(::opendir("/proc/self/task"), ::closedir);
  if (!threads) {
    return fail(Error(Errc::not_supported, "opendir", errno).on("/proc/self/task"));
  }
  std::size_t held = 0;
  while (const dirent* const entry = ::readdir(threads.get())) {
    const std::string_view name = entry->d_name;
    pid_t thread = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), thread).ec != std::errc()) {
      continue;
    }
    auto head = head_of(thread);
    if (!head && head.error().os_error() == ESRCH) {
      continue;  // it has ended meanwhile, and the kernel has seen to what it held
    }
    robust_list_head readable{};
    if (!head || (*head != nullptr && !read_own(reinterpret_cast<std::uintptr_t>(*head), &readable, sizeof readable))) {
      return fail(Error(Errc::not_supported, head ? "process_vm_readv" : "get_robust_list", errno));
    }
    held += *head == nullptr ? 0 : held_by(*head, memory);
  }
  return held;
}

}  // namespace tenon
