#include <tenon/inspect/kernel/shm_directory.hpp>

#include <fcntl.h>
#include <semaphore.h>

namespace tenon::inspect {

std::vector<ShmFile> files_of_shm(std::vector<std::string>& unseen) {
  std::vector<ShmFile> files;
  const std::string directory(shm_directory);
  auto names = names_in(directory);
  if (!names) {
    unseen.push_back("POSIX memory and semaphores: " + names.error().message());
    return files;
  }
  for (std::string& name : *names) {
    const auto status = status_of(AT_FDCWD, (directory + name).c_str());
    if (status && S_ISREG(status->stx_mode)) {
      files.push_back({.name = std::move(name), .status = *status});
    }
  }
  return files;
}

bool is_semaphore(const ShmFile& file) noexcept {
  return file.name.starts_with("sem.") && file.name.size() > 4 && file.status.stx_size == sizeof(sem_t);
}

}  // namespace tenon::inspect
