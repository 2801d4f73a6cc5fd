/// Named semaphores: files sem.NAME in /dev/shm. sem_overview(7)
#include <tenon/inspect/kernel/scene.hpp>

#include <tenon/inspect/kernel/shm_directory.hpp>
#include <tenon/os/fd.hpp>

#include <array>
#include <bit>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

constexpr std::size_t prefix = 4;  // "sem."

// How glibc keeps it on 64-bit machines: the value in the low half of the first word, who waits in the high half.
// Read without touching the time of access, which only the owner may ask for: for others there are no figures.
// By now a FIFO may stand there, or somebody may have a lease on it: neither is waited for.
void add_figures(Object& object, const std::string& path) {
  if (sizeof(void*) != 8) {
    return;
  }
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME | O_NONBLOCK;
  const auto file = fd_from(::open(path.c_str(), flags), "open");
  struct stat status{};
  const bool regular = file && ::fstat(file->raw(), &status) == 0 && S_ISREG(status.st_mode);
  std::array<std::uint32_t, 2> word{};
  if (regular && ::pread(file->raw(), word.data(), sizeof word, 0) == sizeof word) {
    const bool little = std::endian::native == std::endian::little;
    object.figures = {{.name = "value", .value = word[little ? 0 : 1]},
                      {.name = "waiting", .value = word[little ? 1 : 0]}};
    if (word[little ? 1 : 0] > 0) {
      object.awaited = {Need::lock};
    }
  }
}

}  // namespace

void read_posix_semaphores(const Scene& scene, Snapshot& into) {
  for (const ShmFile& file : scene.shm) {
    if (is_semaphore(file)) {
      Object object = file_object(Kind::posix_semaphore, "/" + file.name.substr(prefix), file.status);
      add_figures(object, std::string(shm_directory) + file.name);
      add_file(into, std::move(object), scene.sightings);
    }
  }
}

}  // namespace tenon::inspect
