#include <topic/start_domain.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace topics {

using tenon::MutableBytes;

namespace {

// Two directions of a subject, beside two of its limit, are alive at once.
constexpr std::uint64_t alive_at_once = 8;

// Of this program, in its children too: asked before they are forked.
const std::string& path_of_run() {
  static const std::string path = "/dev/shm/tenon-topic-bench-" + std::to_string(::getpid());
  return path;
}

std::string path_of(std::uint64_t start) { return path_of_run() + "/" + std::to_string(start); }

tenon::Domain domain_of(MutableBytes shared) {
  std::uint64_t start = 0;
  std::memcpy(&start, shared.data(), sizeof start);
  return tenon::Domain::open(path_of(start)).or_throw();
}

void remove(const std::string& path) {
  std::error_code dropped;
  std::filesystem::remove_all(path, dropped);
}

}  // namespace

void new_domain(MutableBytes shared) {
  static std::uint64_t starts = 0;
  ++starts;
  std::memcpy(shared.data(), &starts, sizeof starts);
  if (starts > alive_at_once) {
    remove(path_of(starts - alive_at_once));
  }
}

Member::Member(MutableBytes shared)
    : domain_(domain_of(shared)),
      life_(tenon::Life::join(domain_).or_throw()),
      holder_(tenon::Holder::of(domain_, life_).or_throw()) {}

DomainsOfRun::DomainsOfRun() { std::filesystem::create_directory(path_of_run()); }
DomainsOfRun::~DomainsOfRun() { remove(path_of_run()); }

}  // namespace topics
