#include <tenon/inspect/patterns/boards.hpp>

#include <tenon/base/bytes.hpp>
#include <tenon/base/file_identity.hpp>
#include <tenon/inspect/patterns/regular_file.hpp>
#include <tenon/memory/type_record_layout.hpp>
#include <tenon/messaging/blackboard/board_layout.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <dirent.h>
#include <memory>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

template <class T>
std::optional<T> value_at(FdView file, std::uint64_t at) {
  alignas(T) std::array<std::byte, sizeof(T)> bytes;
  const ssize_t got =
      uninterrupted([&] { return ::pread(file.raw(), bytes.data(), bytes.size(), static_cast<off_t>(at)); });
  return got == static_cast<ssize_t>(sizeof(T)) ? std::optional(std::bit_cast<T>(bytes)) : std::nullopt;
}

/// What is read of an entry.
struct EntrySeen {
  std::uint32_t ready;
  std::array<std::uint32_t, 3> reserved;
  std::uint64_t state;
};
static_assert(offsetof(BoardEntryHead, state) - offsetof(BoardEntryHead, ready) == offsetof(EntrySeen, state));

Error corrupt(std::string_view what) { return Error(Errc::corrupt).because(what); }

// The names of the types, one record behind the other.
std::vector<std::string> type_names(FdView file, const BoardHeader& header) {
  std::vector<std::string> names;
  std::uint64_t at = header.types_at;
  for (std::uint64_t i = 0; i <= header.types; ++i) {
    const bool lies_inside = at + sizeof(TypeRecord) <= header.types_at + header.types_bytes;
    const auto record = lies_inside ? value_at<TypeRecord>(file, at) : std::nullopt;
    if (!record) {
      return {};
    }
    names.emplace_back(record->name.characters,
                       std::min<std::size_t>(record->name.length, sizeof record->name.characters));
    at += sizeof(TypeRecord) + std::uint64_t{record->fields} * sizeof(FieldRecord);
  }
  return names;
}

Result<Board> read_board(FdView file, const struct stat& status, std::string_view name) {
  const auto header = value_at<BoardHeader>(file, 0);
  if (!header) {
    return fail(corrupt("it is no blackboard"));
  }
  auto known = check_identity(identity_of(*header), {.magic = board_magic, .layout_version = board_layout_version});
  if (!known) {
    return fail(std::move(known.error()));
  }
  if (!fits_file(*header, static_cast<std::uint64_t>(status.st_size))) {
    return fail(corrupt("its header does not fit its file"));
  }
  auto types = type_names(file, *header);
  if (types.empty()) {
    return fail(corrupt("its types do not lie in it"));
  }
  Board board{.name = std::string(name),
              .owner = status.st_uid,
              .keys = 0,
              .most_keys = header->entries,
              .key_type = types.front(),
              .types = {types.begin() + 1, types.end()},
              .written = 0,
              .memory = static_cast<std::uint64_t>(status.st_blocks) * 512};
  for (; board.keys < header->entries; ++board.keys) {
    const std::uint64_t at = header->entries_at + board.keys * header->entry_bytes;
    const auto entry = value_at<EntrySeen>(file, at + offsetof(BoardEntryHead, ready));
    if (!entry || entry->ready == 0) {
      break;
    }
    board.written += entry->state / 2;
  }
  return board;
}

Result<Board> read_file(FdView domain, const std::string& file_name) {
  const auto file = open_regular(domain, file_name);
  struct stat status{};
  if (!file || ::fstat(file->raw(), &status) == -1) {
    return fail(file ? os_failure("fstat", errno) : Error(file.error()));
  }
  return read_board(file->view(), status, std::string_view(file_name).substr(std::string_view(board_prefix).size()));
}

}  // namespace

Result<Boards> boards(const std::string& domain) {
  const std::unique_ptr<DIR, void (*)(DIR*)> open(::opendir(domain.c_str()), [](DIR* opened) { ::closedir(opened); });
  if (open == nullptr) {
    return fail(os_failure("opendir", errno).on(domain));
  }
  std::vector<std::string> names;
  for (const dirent* entry = ::readdir(open.get()); entry != nullptr; entry = ::readdir(open.get())) {
    if (std::string_view(entry->d_name).starts_with(board_prefix)) {
      names.emplace_back(entry->d_name);
    }
  }
  std::ranges::sort(names);
  Boards seen{.boards = {}, .unseen = {}, .at = monotonic_now()};
  for (const std::string& name : names) {
    auto board = read_file(FdView(::dirfd(open.get())), name);
    if (board) {
      seen.boards.push_back(std::move(*board));
    } else if (!(board.error() == Errc::not_found)) {
      seen.unseen.push_back(name + ": " + board.error().message());
    }
  }
  return seen;
}

}  // namespace tenon::inspect
