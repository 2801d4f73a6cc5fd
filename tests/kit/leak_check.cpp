#include <kit/leak_check.hpp>

#include <kit/descendants.hpp>
#include <kit/unique.hpp>
#include <tenon/base/name.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>

namespace kit {

namespace {

namespace procfs = tenon::procfs;
using Lines = std::vector<std::string>;

void add_descriptors(Lines& lines) {
  for (const procfs::OpenDescriptor& one : procfs::descriptors(::getpid()).or_throw()) {
    lines.push_back("descriptor " + std::to_string(one.number) + ": " + tenon::escaped(one.target));
  }
}

void add_children(Lines& lines) {
  std::array<pid_t, 1024> room;
  const std::size_t count = descendants(::getpid(), room);
  for (std::size_t i = 0; i < count; ++i) {
    const auto process = procfs::process(room[i]);
    const std::string state = process ? std::string(1, process->state) : "gone meanwhile";
    lines.push_back("child " + std::to_string(room[i]) + ", state " + state);
  }
}

void add_names(Lines& lines, const std::string& directory) {
  for (const std::string& name : names_in(directory)) {
    lines.push_back(directory + "/" + tenon::escaped(name));
  }
}

// The first line is the heading; then each begins with the key and the identifier.
void add_system_v(Lines& lines, const std::string& file, const std::string& kind) {
  std::ifstream table("/proc/sysvipc/" + file);
  std::string line;
  std::getline(table, line);
  long key = 0;
  long id = 0;
  while (table >> key >> id && std::getline(table, line)) {
    lines.push_back("System V " + kind + " " + std::to_string(id) + ", key " + std::to_string(key));
  }
}

}  // namespace

std::vector<std::string> holdings(Scope scope) {
  Lines lines;
  add_descriptors(lines);
  add_children(lines);
  if (scope == Scope::machine) {
    add_names(lines, "/dev/shm");
    add_names(lines, "/dev/mqueue");
    add_system_v(lines, "shm", "memory");
    add_system_v(lines, "sem", "semaphores");
    add_system_v(lines, "msg", "queue");
  }
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> LeakCheck::leaked() const {
  Lines found;
  std::ranges::set_difference(holdings(scope_), before_, std::back_inserter(found));
  return found;
}

LeakCheck::~LeakCheck() {
  for (const std::string& line : leaked()) {
    ADD_FAILURE() << "leaked: " << line;
  }
}

}  // namespace kit
