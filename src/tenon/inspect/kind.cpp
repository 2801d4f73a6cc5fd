#include <tenon/inspect/kind.hpp>

#include <algorithm>
#include <array>

namespace tenon::inspect {

namespace {

struct Row {
  Kind kind;
  std::string_view name;
};

constexpr std::array rows = {
    Row{Kind::posix_queue, "posix_queue"},
    Row{Kind::sysv_queue, "sysv_queue"},
    Row{Kind::posix_memory, "posix_memory"},
    Row{Kind::sysv_memory, "sysv_memory"},
    Row{Kind::memfd, "memfd"},
    Row{Kind::posix_semaphore, "posix_semaphore"},
    Row{Kind::sysv_semaphore, "sysv_semaphore"},
    Row{Kind::pipe, "pipe"},
    Row{Kind::fifo, "fifo"},
    Row{Kind::unix_socket, "unix_socket"},
    Row{Kind::eventfd, "eventfd"},
    Row{Kind::file_lock, "file_lock"},
    Row{Kind::lock, "lock"},
    Row{Kind::topic, "topic"},
    Row{Kind::queue, "queue"},
    Row{Kind::service, "service"},
    Row{Kind::stream, "stream"},
    Row{Kind::board, "board"},
};

constexpr std::array kinds = [] {
  std::array<Kind, rows.size()> all{};
  std::ranges::transform(rows, all.begin(), &Row::kind);
  return all;
}();

}  // namespace

std::span<const Kind> all_kinds() noexcept { return kinds; }

std::string_view name_of(Kind kind) noexcept { return std::ranges::find(rows, kind, &Row::kind)->name; }

Result<Kind> kind_of(std::string_view name) {
  const auto row = std::ranges::find(rows, name, &Row::name);
  if (row != rows.end()) {
    return row->kind;
  }
  std::string names;
  for (const Row& known : rows) {
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  return fail(Error(Errc::invalid_argument).on(name).because("a kind is one of " + names));
}

bool is_pattern(Kind kind) noexcept { return kind >= Kind::topic; }

bool is_system_v(Kind kind) noexcept {
  return kind == Kind::sysv_queue || kind == Kind::sysv_memory || kind == Kind::sysv_semaphore;
}

}  // namespace tenon::inspect
