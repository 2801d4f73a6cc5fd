#include <harness/processors.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cerrno>
#include <sched.h>

namespace harness {

namespace {

// Equal for the hardware threads of one core. Without sysfs every processor counts as a core.
std::string core_of(int processor) {
  const std::string number = std::to_string(processor);
  auto siblings = tenon::procfs::text("/sys/devices/system/cpu/cpu" + number + "/topology/thread_siblings_list");
  return siblings ? *siblings : number;
}

int first_processor() {
  const std::vector<int> allowed = allowed_processors();
  tenon::expects(!allowed.empty(), "a process may use at least one processor");
  return allowed.front();
}

}  // namespace

std::vector<int> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
      if (CPU_ISSET(static_cast<std::size_t>(processor), &set)) {
        processors.push_back(processor);
      }
    }
  }
  return processors;
}

tenon::Result<void> pin_to(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  if (::sched_setaffinity(0, sizeof set, &set) == -1) {
    return tenon::fail(tenon::os_failure("sched_setaffinity", errno).on("processor " + std::to_string(processor)));
  }
  return {};
}

tenon::Result<Placement> across_cores(std::size_t sides) {
  Placement placement{.name = "across cores", .processors = {}, .exclusive = true};
  std::vector<std::string> cores;
  for (int processor : allowed_processors()) {
    std::string core = core_of(processor);
    if (placement.processors.size() < sides && std::ranges::find(cores, core) == cores.end()) {
      placement.processors.push_back(processor);
      cores.push_back(std::move(core));
    }
  }
  if (placement.processors.size() < sides) {
    return tenon::fail(tenon::Error(tenon::Errc::not_supported)
                           .because("it needs " + std::to_string(sides) + " cores, and " +
                                    std::to_string(placement.processors.size()) + " may be used"));
  }
  return placement;
}

tenon::Result<Placement> one_and_others(std::size_t sides) {
  std::size_t cores = sides;
  auto apart = across_cores(cores);
  while (!apart && cores > 2) {
    --cores;
    apart = across_cores(cores);
  }
  if (!apart) {
    return tenon::fail(std::move(apart.error()));
  }
  Placement placement{.name = "one and others", .processors = apart->processors, .exclusive = cores == sides};
  for (std::size_t side = cores; side < sides; ++side) {
    placement.processors.push_back(apart->processors[1 + (side - 1) % (cores - 1)]);
  }
  return placement;
}

Placement in_turn(std::size_t sides) {
  Placement placement{.name = "in turn", .processors = {}};
  const std::vector<int> all = allowed_processors();
  for (std::size_t side = 0; side < sides; ++side) {
    placement.processors.push_back(all[side % all.size()]);
  }
  return placement;
}

Placement one_core(std::size_t sides) {
  return {.name = "one core", .processors = std::vector<int>(sides, first_processor()), .exclusive = false};
}

Placement alone() { return {.name = "alone", .processors = {first_processor()}, .exclusive = true}; }

}  // namespace harness
