#include <topic/start_domain.hpp>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace topics {

using tenon::MutableBytes;

namespace {

// Two directions of a subject, beside two of its limit, are alive at once.
constexpr std::uint64_t alive_at_once = 8;

std::string path_of(std::uint64_t start) { return path_of_run() + "/" + std::to_string(start); }

void remove_tree(const std::string& path) {
  std::error_code dropped;
  std::filesystem::remove_all(path, dropped);
}

}  // namespace

// Of this program, in its children too: asked before they are forked.
const std::string& path_of_run() {
  static const std::string path = "/dev/shm/tenon-topic-bench-" + std::to_string(::getpid());
  return path;
}

namespace {

// What a run left that was ended by a signal, one of these removes: by the process that is gone.
void remove_those_of_the_dead() {
  const std::filesystem::path own = path_of_run();
  const std::string prefix = own.filename().string().substr(0, own.filename().string().rfind('-') + 1);
  for (const auto& entry : std::filesystem::directory_iterator(own.parent_path())) {
    const std::string name = entry.path().filename().string();
    const pid_t pid = name.starts_with(prefix) ? std::atoi(name.c_str() + prefix.size()) : 0;
    if (pid > 0 && ::kill(pid, 0) == -1 && errno == ESRCH) {
      remove_tree(entry.path());
    }
  }
}

}  // namespace

std::string path_of_start(MutableBytes shared) {
  std::uint64_t start = 0;
  std::memcpy(&start, shared.data(), sizeof start);
  return path_of(start);
}

void new_domain(MutableBytes shared) {
  static std::uint64_t starts = 0;
  ++starts;
  std::memcpy(shared.data(), &starts, sizeof starts);
  if (starts > alive_at_once) {
    remove_tree(path_of(starts - alive_at_once));
  }
}

Member::Member(MutableBytes shared)
    : domain_(tenon::Domain::open(path_of_start(shared)).or_throw()),
      life_(tenon::Life::join(domain_).or_throw()),
      holder_(tenon::Holder::of(domain_, life_).or_throw()) {}

DomainsOfRun::DomainsOfRun() {
  remove_those_of_the_dead();
  std::filesystem::create_directory(path_of_run());
}
DomainsOfRun::~DomainsOfRun() { remove_tree(path_of_run()); }

}  // namespace topics
