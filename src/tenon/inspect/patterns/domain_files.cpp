#include <tenon/inspect/patterns/domain_files.hpp>

#include <tenon/inspect/patterns/regular_file.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::inspect {

Result<DomainFile> DomainFile::open(FdView directory, const std::string& name) {
  auto file = open_regular(directory, name);
  struct stat status{};
  if (!file || ::fstat(file->raw(), &status) == -1) {
    return fail(file ? os_failure("fstat", errno) : std::move(file.error()));
  }
  return DomainFile(std::move(*file), static_cast<std::uint64_t>(status.st_size),
                    static_cast<std::uint64_t>(status.st_blocks) * 512, status.st_uid);
}

bool DomainFile::read(MutableBytes into, std::uint64_t at) const noexcept {
  const ssize_t got =
      uninterrupted([&] { return ::pread(file_.raw(), into.data(), into.size(), static_cast<off_t>(at)); });
  return got == static_cast<ssize_t>(into.size());
}

Result<std::vector<std::string>> names_in(FdView directory, std::string_view prefix) {
  auto again = fd_from(
      uninterrupted([&] { return ::openat(directory.raw(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }), "opendir");
  if (!again) {
    return fail(std::move(again.error()));
  }
  const std::unique_ptr<DIR, void (*)(DIR*)> open(::fdopendir(again->raw()), [](DIR* opened) { ::closedir(opened); });
  if (open == nullptr) {
    return fail(os_failure("opendir", errno));
  }
  [[maybe_unused]] const int given_away = std::move(*again).release();
  std::vector<std::string> names;
  for (const dirent* entry = ::readdir(open.get()); entry != nullptr; entry = ::readdir(open.get())) {
    if (std::string_view(entry->d_name).starts_with(prefix)) {
      names.emplace_back(entry->d_name);
    }
  }
  std::ranges::sort(names);
  return names;
}

Result<Fd> open_domain_directory(const std::string& path) {
  auto directory =
      fd_from(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }), "opendir");
  return directory ? std::move(directory) : fail(std::move(directory.error()).on(path));
}

}  // namespace tenon::inspect
