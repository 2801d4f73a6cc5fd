#pragma once
/// /dev/shm, where POSIX memory and named semaphores are files. shm_overview(7), sem_overview(7)
#include <tenon/inspect/kernel/scene.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tenon::inspect {

inline constexpr std::string_view shm_directory = "/dev/shm/";

/// Its regular files, by name; `unseen` is told where it cannot be read.
std::vector<ShmFile> files_of_shm(std::vector<std::string>& unseen);

/// Whether sem_open(3) could have made it: by its name and its size. Memory of that name and size looks the same.
bool is_semaphore(const ShmFile& file) noexcept;

}  // namespace tenon::inspect
