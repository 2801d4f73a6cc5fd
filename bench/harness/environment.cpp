#include <harness/environment.hpp>

#include <tenon/os/procfs.hpp>
#include <harness/processors.hpp>
#include <harness/system_calls.hpp>

#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>
#include <sys/utsname.h>

namespace harness {

namespace {

std::string text_or(const std::string& path, std::string_view otherwise) {
  auto text = tenon::procfs::text(path);
  if (!text || text->empty()) {
    return std::string(otherwise);
  }
  return text->substr(0, text->find('\n'));
}

// The value behind "key   : value" of the first processor in /proc/cpuinfo.
std::string cpuinfo(std::string_view key) {
  auto text = tenon::procfs::text("/proc/cpuinfo");
  const std::size_t at = text ? text->find(key) : std::string::npos;
  const std::size_t colon = at == std::string::npos ? at : text->find(": ", at);
  if (colon == std::string::npos) {
    return "unknown";
  }
  return text->substr(colon + 2, text->find('\n', colon) - colon - 2);
}

std::string system_call_counting() {
  auto counter = SystemCalls::count_own();
  return counter ? "counted" : "not counted: " + counter.error().message();
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

}  // namespace

Environment environment(const Clock& clock) {
  utsname names{};
  ::uname(&names);
  const std::string flags = cpuinfo("flags");
  const std::string governor = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
  return {.processor = cpuinfo("model name"),
          .processors = fmt::to_string(fmt::join(allowed_processors(), ",")),
          .machine = flags.find(" hypervisor") == std::string::npos ? "bare machine" : "virtual machine",
          .kernel = std::string(names.sysname) + " " + names.release,
          .compiler = compiler(),
          .governor = text_or(governor, "not visible"),
          .system_calls = system_call_counting(),
          .clock = clock.name(),
          .clock_cost = clock.cost(),
          .load = std::strtod(text_or("/proc/loadavg", "0").c_str(), nullptr)};
}

std::string description(const Environment& here) {
  return fmt::format(
      "processor     {}, {}, processors {} may be used\n"
      "kernel        {}; governor {}; load {:.2f}\n"
      "compiler      {}\n"
      "clock         {}, {:.1f} ns a look\n"
      "system calls  {}\n",
      here.processor, here.machine, here.processors, here.kernel, here.governor, here.load, here.compiler, here.clock,
      here.clock_cost, here.system_calls);
}

}  // namespace harness
