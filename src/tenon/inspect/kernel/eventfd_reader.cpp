/// Counters that processes share by descriptor alone. eventfd(2)
///
/// All of them have one inode, so it is the number in fdinfo that tells one from the other; kernels before 5.2 give
/// none, and then they are not listed.
#include <tenon/inspect/kernel/scene.hpp>

#include <tenon/os/procfs.hpp>

#include <charconv>
#include <map>
#include <vector>

namespace tenon::inspect {

namespace {

struct Counter {
  std::uint64_t count;
  std::optional<int> id;
  bool is_semaphore;
};

// The number behind "NAME:" of one line.
std::optional<std::uint64_t> field(std::string_view text, std::string_view name, int base) {
  const std::size_t at = text.find(name);
  const std::size_t digits = at == std::string_view::npos ? at : text.find_first_not_of(" \t", at + name.size());
  std::uint64_t value = 0;
  if (digits == std::string_view::npos) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(text.data() + digits, text.data() + text.size(), value, base);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

// Nothing if it was closed meanwhile.
std::optional<Counter> counter_of(const Sighting& one) {
  const auto text =
      procfs::text("/proc/" + std::to_string(one.pid) + "/fdinfo/" + std::to_string(one.descriptor)).value_or("");
  const auto count = field(text, "eventfd-count:", 16);
  const auto id = field(text, "eventfd-id:", 10);
  const bool is_semaphore = field(text, "eventfd-semaphore:", 10).value_or(0) != 0;
  return count ? std::optional(Counter{.count = *count,
                                       .id = id ? std::optional(static_cast<int>(*id)) : std::nullopt,
                                       .is_semaphore = is_semaphore})
               : std::nullopt;
}

struct Seen {
  Counter counter;
  std::vector<Sighting> held;
};

}  // namespace

void read_eventfds(const Scene& scene, Snapshot& into) {
  std::map<int, Seen> all;
  bool unnumbered = false;
  for (const Sighting& one : scene.sightings.all(Sighting::What::eventfd)) {
    const auto counter = counter_of(one);
    if (counter && counter->id) {
      all.try_emplace(*counter->id, Seen{.counter = *counter, .held = {}}).first->second.held.push_back(one);
    }
    unnumbered = unnumbered || (counter && !counter->id);
  }
  for (const auto& [id, seen] : all) {
    Object object{.kind = Kind::eventfd, .name = "eventfd:[" + std::to_string(id) + "]", .id = id};
    object.state = seen.counter.is_semaphore ? "semaphore" : "";
    object.figures = {{.name = "count", .value = seen.counter.count}};
    add_holders(into, add(into, std::move(object)), seen.held);
  }
  if (unnumbered) {
    into.unseen.emplace_back("eventfds: this kernel does not number them, so that one cannot be told from the other");
  }
}

}  // namespace tenon::inspect
