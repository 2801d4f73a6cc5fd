#include <tenon/inspect/waits/robust_holds.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace tenon::inspect {

namespace {

// The head of the list, as it lies in the thread's memory, in numbers.
struct Head {
  std::uint64_t first;
  std::int64_t to_word;   // from an entry to its lock's word
  std::uint64_t pending;  // an entry that it is just about to add, or to take out
  friend bool operator==(const Head&, const Head&) = default;
};
static_assert(sizeof(Head) == sizeof(robust_list_head));

constexpr std::uint64_t inherits = 1;  // a flag in the address of an entry

struct List {
  Head head;
  std::vector<std::uint64_t> entries;
  friend bool operator==(const List&, const List&) = default;
};

// The kernel follows as many, and no more.
std::optional<List> read_list(const AddressSpace& memory, std::uint64_t at) {
  const auto head = memory.value<Head>(at);
  if (!head) {
    return std::nullopt;
  }
  List list{.head = *head, .entries = {}};
  std::uint64_t entry = head->first & ~inherits;
  while (entry != at) {
    const auto next = memory.value<std::uint64_t>(entry);
    if (!next || list.entries.size() == ROBUST_LIST_LIMIT) {
      return std::nullopt;
    }
    list.entries.push_back(entry);
    entry = *next & ~inherits;
  }
  return list;
}

}  // namespace

std::optional<bool> holds_robust_lock(const AddressSpace& memory, pid_t thread, const AddressSpace::Place& place) {
  robust_list_head* address = nullptr;
  std::size_t size = 0;
  if (::syscall(SYS_get_robust_list, thread, &address, &size) == -1 || size != sizeof(robust_list_head) ||
      address == nullptr) {
    return std::nullopt;
  }
  const auto at = reinterpret_cast<std::uint64_t>(address);
  auto list = read_list(memory, at);
  if (!list || read_list(memory, at) != list) {
    return std::nullopt;
  }
  if (list->head.pending != 0) {
    list->entries.push_back(list->head.pending & ~inherits);
  }
  for (const std::uint64_t entry : list->entries) {
    const auto word = memory.shared_place(entry + static_cast<std::uint64_t>(list->head.to_word));
    if (word && word->file == place.file && word->offset == place.offset) {
      return true;
    }
  }
  return false;
}

}  // namespace tenon::inspect
