#include <tenon/inspect/kernel/sightings.hpp>

#include <tenon/inspect/kernel/process_files.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <iterator>
#include <ranges>
#include <system_error>
#include <thread>
#include <tuple>
#include <unistd.h>

namespace tenon::inspect {

namespace {

constexpr std::string_view deleted = " (deleted)";

auto place(const Sighting& one) noexcept { return std::tie(one.what, one.file, one.pid, one.descriptor); }

struct Part {
  FilesSeen files = {};
  std::size_t refused = 0;
};

/// The walk over all processes. Most of it is the kernel's work, which several processors do at once: threads take the
/// processes in turn.
class Walk {
 public:
  Walk(FdView proc, Detail detail, std::vector<pid_t> pids) : proc_(proc), detail_(detail), pids_(std::move(pids)) {}

  Part run(const std::function<void()>& meanwhile) {
    std::vector<Part> parts(threads());
    {
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < parts.size() && start(others, parts[i]); ++i) {
      }
      meanwhile();
      look(parts.front());
    }
    Part all = std::move(parts.front());
    for (Part& part : parts | std::views::drop(1)) {
      std::ranges::move(part.files.sightings, std::back_inserter(all.files.sightings));
      std::ranges::move(part.files.processes, std::back_inserter(all.files.processes));
      all.files.statuses.merge(part.files.statuses);
      all.files.events.merge(part.files.events);
      all.refused += part.refused;
    }
    return all;
  }

 private:
  // A thread costs as much as a look at a few processes.
  std::size_t threads() const {
    constexpr std::size_t most = 4;
    constexpr std::size_t worth_a_thread = 32;
    const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
    return std::min({most, processors, 1 + pids_.size() / worth_a_thread});
  }
  // False where no thread can be had, at a limit: then those that there are do it all.
  bool start(std::vector<std::jthread>& others, Part& into) {
    try {
      others.emplace_back([this, &into] { look(into); });
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }
  void look(Part& into) {
    ProcessFiles files(proc_, detail_);
    // relaxed: what each thread takes is its own
    for (std::size_t i = next_.fetch_add(1, std::memory_order_relaxed); i < pids_.size();
         i = next_.fetch_add(1, std::memory_order_relaxed)) {  // relaxed: as above
      into.refused += files.look_at(pids_[i], into.files) ? 0 : 1;
    }
  }

  FdView proc_;
  Detail detail_;
  std::vector<pid_t> pids_;
  std::atomic<std::size_t> next_ = 0;
};

}  // namespace

std::string Sighting::path() const {
  return descriptor == -1 ? "" : "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(descriptor);
}

Sightings Sightings::take(Detail detail, std::vector<std::string>& unseen, const std::function<void()>& meanwhile) {
  const auto proc = fd_from(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
  if (!proc) {
    unseen.push_back("what processes have open or mapped: /proc: " + proc.error().message());
    meanwhile();
    return {};
  }
  Walk walk(proc->view(), detail, procfs::all_processes());
  Part all = walk.run(meanwhile);
  if (all.refused > 0) {
    unseen.push_back(
        "what " + std::to_string(all.refused) + (all.refused == 1 ? " process has" : " processes have") +
        " open or mapped, for want of the right to look at them: that is their own user's, or CAP_SYS_PTRACE");
  }
  std::ranges::sort(all.files.sightings, {}, place);
  std::ranges::sort(all.files.processes, {}, &Process::pid);
  Sightings seen;
  seen.all_ = std::move(all.files.sightings);
  seen.statuses_ = std::move(all.files.statuses);
  seen.events_ = std::move(all.files.events);
  seen.processes_ = std::move(all.files.processes);
  seen.refused_ = all.refused;
  return seen;
}

const EventCount* Sightings::event(FileId file) const noexcept {
  const auto found = events_.find(file);
  return found == events_.end() ? nullptr : &found->second;
}

const Process* Sightings::process(pid_t pid) const noexcept {
  const auto found = std::ranges::lower_bound(processes_, pid, {}, &Process::pid);
  return found != processes_.end() && found->pid == pid ? &*found : nullptr;
}

const struct statx* Sightings::status(FileId file) const noexcept {
  const auto found = statuses_.find(file);
  return found == statuses_.end() ? nullptr : &found->second;
}

std::span<const Sighting> Sightings::all(Sighting::What what) const noexcept {
  const auto found = std::ranges::equal_range(all_, what, {}, &Sighting::what);
  return {found.begin(), found.end()};
}

std::span<const Sighting> Sightings::of(Sighting::What what, FileId file) const noexcept {
  const auto found = std::ranges::equal_range(all_, std::tie(what, file), {},
                                              [](const Sighting& one) { return std::tie(one.what, one.file); });
  return {found.begin(), found.end()};
}

bool is_unlinked(const std::string& target) noexcept { return target.ends_with(deleted); }

std::string without_mark(const std::string& target) {
  return is_unlinked(target) ? target.substr(0, target.size() - deleted.size()) : target;
}

bool shares_ipc(pid_t pid) noexcept {
  const auto own = procfs::ipc_namespace(::getpid());
  const auto theirs = procfs::ipc_namespace(pid);
  return own && theirs && *own == *theirs;
}

}  // namespace tenon::inspect
