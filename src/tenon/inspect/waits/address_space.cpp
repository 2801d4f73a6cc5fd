#include <tenon/inspect/waits/address_space.hpp>

#include <tenon/inspect/waits/sleepers.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <map>
#include <sys/uio.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

bool parse(std::string_view digits, std::uint64_t& into) noexcept {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into, 16);
  return error == std::errc() && end == digits.data() + digits.size();
}

}  // namespace

// "7f2a-7f2b rw-s 00001000 00:01 17   /dev/shm/x". Where the main thread alone has ended, its other threads show it.
Result<AddressSpace> AddressSpace::of(pid_t pid) {
  pid_t shown_by = pid;
  auto text = procfs::text("/proc/" + std::to_string(pid) + "/maps");
  if (!text || text->empty()) {
    shown_by = living_thread(pid);
    text = shown_by == pid ? std::move(text) : procfs::text("/proc/" + std::to_string(shown_by) + "/maps");
  }
  if (!text) {
    return fail(text.error());
  }
  AddressSpace space(shown_by);
  for (std::string_view left = *text; !left.empty();) {
    const std::string_view line = left.substr(0, std::min(left.find('\n'), left.size()));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    const std::size_t dash = line.find('-');
    const std::size_t rights = std::min(line.find(' '), line.size());
    Part part{};
    constexpr std::size_t offset_behind = 6;  // " rw-s "
    if (dash > rights || line.size() < rights + offset_behind || !parse(line.substr(0, dash), part.from) ||
        !parse(line.substr(dash + 1, rights - dash - 1), part.to)) {
      return fail(Error(Errc::corrupt).on(line).because("it is not a line of a maps file"));
    }
    part.shared = line[rights + 4] == 's';
    part.writes = line[rights + 2] == 'w';
    const std::string_view offset = line.substr(rights + offset_behind);
    auto file = procfs::parse_map(line);
    if (!file || !parse(offset.substr(0, offset.find(' ')), part.at.offset)) {
      return fail(Error(Errc::corrupt).on(line).because("it is not a line of a maps file"));
    }
    if (*file) {
      part.at.file = {.device = (*file)->device, .inode = (*file)->inode};
      part.at.path = std::move((*file)->path);
    }
    space.parts_.push_back(std::move(part));
  }
  return space;
}

std::optional<AddressSpace::Place> AddressSpace::shared_place(std::uint64_t address) const {
  const auto part =
      std::ranges::find_if(parts_, [&](const Part& one) { return address >= one.from && address < one.to; });
  if (part == parts_.end() || !part->shared || part->at.path.empty()) {
    return std::nullopt;
  }
  Place place = part->at;
  place.offset += address - part->from;
  return place;
}

std::vector<std::pair<FileId, bool>> AddressSpace::shared_files() const {
  std::map<FileId, bool> files;
  for (const Part& part : parts_) {
    if (part.shared && !part.at.path.empty()) {
      bool& writes = files[part.at.file];
      writes = writes || part.writes;
    }
  }
  return {files.begin(), files.end()};
}

bool AddressSpace::read(std::uint64_t address, MutableBytes into) const noexcept {
  const iovec ours{.iov_base = into.data(), .iov_len = into.size()};
  const iovec theirs{.iov_base = reinterpret_cast<void*>(address), .iov_len = into.size()};
  return ::process_vm_readv(thread_, &ours, 1, &theirs, 1, 0) == static_cast<ssize_t>(into.size());
}

// By pieces that end where pages end: behind the text there may be no memory.
std::optional<std::string> AddressSpace::text(std::uint64_t address) const {
  constexpr std::uint64_t piece = 256;
  std::string found;
  while (found.size() < PATH_MAX) {
    std::array<std::byte, piece> bytes{};
    const MutableBytes part = MutableBytes(bytes).first(piece - address % piece);
    if (!read(address, part)) {
      return std::nullopt;
    }
    const std::string_view seen = text_of(part);
    found += seen.substr(0, seen.find('\0'));
    if (seen.contains('\0')) {
      return found;
    }
    address += part.size();
  }
  return std::nullopt;
}

}  // namespace tenon::inspect
