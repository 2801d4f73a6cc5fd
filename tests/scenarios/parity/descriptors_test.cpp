// lsof and lsfd beside `tenon ls --json`: what each process has open and mapped.
#include "told.hpp"

#include <map>
#include <set>
#include <sstream>
#include <sys/sysmacros.h>

namespace parity {
namespace {

/// One descriptor or map, as either tool tells of it.
struct Opened {
  long pid;
  std::string descriptor;  // "3", or what stands there of a map
  std::string access;      // "r", "w", "rw"
  std::string type;
  std::optional<std::uint64_t> device;
  std::uint64_t inode;
  std::optional<std::uint64_t> size;
  std::string name;
  char lock;

  bool is_map() const { return descriptor.find_first_not_of("0123456789") != std::string::npos; }
};

const std::map<char, std::string> lsof_access = {{'r', "r"}, {'w', "w"}, {'u', "rw"}, {' ', ""}};

// "p17\nf3\nar\n…": each field a line, by its first character.
std::vector<Opened> lsof(const Machine& machine) {
  std::vector<Opened> all;
  std::istringstream text(tools::printed_by("lsof -nP -p " + machine.list() + " -F pfaltDsin 2>/dev/null"));
  long pid = 0;
  for (std::string line; std::getline(text, line);) {
    const std::string rest = line.empty() ? "" : line.substr(1);
    Opened* const last = all.empty() ? nullptr : &all.back();
    switch (line.empty() ? '\0' : line[0]) {
      case 'p':
        pid = std::stol(rest);
        break;
      case 'f':
        all.push_back({.pid = pid,
                       .descriptor = rest,
                       .access = "",
                       .type = "",
                       .device = {},
                       .inode = 0,
                       .size = {},
                       .name = "",
                       .lock = ' '});
        break;
      case 'a':
        last->access = lsof_access.at(rest.empty() ? ' ' : rest[0]);
        break;
      case 'l':
        last->lock = rest.empty() ? ' ' : rest[0];
        break;
      case 't':
        last->type = rest;
        break;
      case 'D':
        last->device = std::stoull(rest, nullptr, 16);
        break;
      case 's':
        last->size = std::stoull(rest);
        break;
      case 'i':
        last->inode = std::stoull(rest);
        break;
      case 'n':
        last->name = rest;
        break;
      default:
        break;
    }
  }
  return all;
}

std::vector<Opened> lsfd(const Machine& machine) {
  std::vector<Opened> all;
  const json rows = json_of("lsfd -J -p " + machine.list() + " -o PID,ASSOC,MODE,TYPE,MAJ:MIN,INODE,SIZE,NAME")["lsfd"];
  for (const json& row : rows) {
    const std::string mode = row["mode"];
    const std::string device = row["maj:min"];
    const std::size_t colon = device.find(':');
    const bool numbers = device.find_first_not_of("0123456789:") == std::string::npos;
    all.push_back({.pid = row["pid"],
                   .descriptor = row["assoc"],
                   .access = std::string(mode[0] == 'r' ? "r" : "") + (mode[1] == 'w' ? "w" : ""),
                   .type = row["type"],
                   .device = numbers ? std::optional<std::uint64_t>(
                                           makedev(static_cast<unsigned>(std::stoul(device.substr(0, colon))),
                                                   static_cast<unsigned>(std::stoul(device.substr(colon + 1)))))
                                     : std::nullopt,
                   .inode = row["inode"],
                   .size = row["size"].is_null() ? std::nullopt : std::optional<std::uint64_t>(row["size"]),
                   .name = row["name"],
                   .lock = ' '});
  }
  return all;
}

// The object that a descriptor of that process leads to, or that it has mapped; null if ls tells of none.
json object_of(const json& all, const Opened& one) {
  for (const json& object : all["objects"]) {
    if (object["kind"] == "file_lock") {
      continue;  // the file is not what it is about
    }
    const json holds = holder(object, one.pid, one.is_map() ? "maps" : "holds");
    if (holds.is_null()) {
      continue;
    }
    for (const json& descriptor : holds["descriptors"]) {
      if (!one.is_map() && std::to_string(descriptor["number"].get<int>()) == one.descriptor) {
        EXPECT_EQ(descriptor["access"], one.access) << object;
        return object;
      }
    }
    const bool segment = object["kind"] == "sysv_memory" && one.name.starts_with("/SYSV") && object["id"] == one.inode;
    if (one.is_map() && (segment || (object["inode"] == one.inode && object["device"] == one.device))) {
      return object;
    }
  }
  return nullptr;
}

// What ls must tell of: the machine has more open, as the test's own output.
bool is_communication(const Opened& one) {
  const bool in_shm = one.name.starts_with("/dev/shm/") && one.name.rfind('/') == std::string("/dev/shm").size();
  const bool path = one.name.starts_with("/memfd:") || in_shm || one.name.starts_with("/SYSV") ||
                    one.name.starts_with("/jobs") || one.name.starts_with("/dev/mqueue/");
  return one.type == "FIFO" || one.type == "unix" || one.type == "SOCK" ||
         one.name.find("eventfd") != std::string::npos || (path && one.descriptor != "txt");
}

// lsfd leaves out maps of files that have lost their name.
const std::set<std::string> kinds_of_lsfd = {"pipe",  "fifo",        "unix_socket", "eventfd",
                                             "memfd", "posix_queue", "posix_memory"};
const std::set<std::string> kinds_of_lsof = {"pipe",        "fifo",         "unix_socket",     "eventfd",    "memfd",
                                             "posix_queue", "posix_memory", "posix_semaphore", "sysv_memory"};

void expect_same(const Opened& one, const json& object) {
  const std::string kind = object["kind"];
  if (kind == "unix_socket") {
    EXPECT_EQ(object["socket"]["inode"], one.inode);
  } else if (kind == "sysv_memory") {
    EXPECT_EQ(object["id"], one.inode);
  } else if (kind != "eventfd") {  // those have one inode among them, and a number
    EXPECT_EQ(object["inode"], one.inode) << object;
    EXPECT_TRUE(!one.device || object["device"] == *one.device) << object << *one.device;
  }
  if (one.type == "REG" && one.size && kind != "sysv_memory") {
    EXPECT_EQ(object["size"], *one.size) << object;
  }
}

std::string without_mark(const std::string& name) { return name.substr(0, name.find(" (deleted)")); }

using NameOf = std::string (*)(const json& object);

void expect_all(const Machine& machine, const std::vector<Opened>& opened, NameOf name_of,
                const std::set<std::string>& expected_kinds) {
  const json all = ls();
  std::set<std::string> kinds;
  std::size_t descriptors = 0;
  for (const Opened& one : opened) {
    if (!is_communication(one)) {
      continue;
    }
    const json object = object_of(all, one);
    ASSERT_FALSE(object.is_null()) << one.pid << " " << one.descriptor << " " << one.name;
    kinds.insert(object["kind"]);
    expect_same(one, object);
    // A map of a semaphore goes by the name that it had while it was made.
    if (object["kind"] != "posix_semaphore") {
      EXPECT_EQ(without_mark(one.name), without_mark(name_of(object))) << object;
    }
    descriptors += one.is_map() ? 0 : 1;
  }
  EXPECT_EQ(kinds, expected_kinds);
  std::size_t told = 0;
  for (const json& object : all["objects"]) {
    for (const json& one : object["holders"]) {
      told += machine.has(one["pid"].get<long>()) ? one["descriptors"].size() : 0;
    }
  }
  EXPECT_EQ(descriptors, told) << "ls tells of others";
}

std::string file_name(const json& object) {
  const std::string kind = object["kind"];
  const std::string name = object["name"];
  return kind == "memfd"             ? "/memfd:" + name + " (deleted)"
         : kind == "posix_memory"    ? "/dev/shm" + name
         : kind == "posix_semaphore" ? "/dev/shm/sem." + name.substr(1)
         : kind == "sysv_memory"     ? "/SYSV" + name.substr(2)
                                     : name;
}

std::string lsof_name(const json& object) {
  const std::map<std::string, std::string> types = {
      {"stream", "STREAM"}, {"datagram", "DGRAM"}, {"seqpacket", "SEQPACKET"}};
  if (object["kind"] == "unix_socket") {
    const std::string name = object["socket"]["name"];
    return name + (name.empty() ? "" : " ") + "type=" + types.at(object["socket"]["type"]);
  }
  return object["kind"] == "pipe"      ? "pipe"
         : object["kind"] == "eventfd" ? "[eventfd:" + std::to_string(object["id"].get<int>()) + "]"
                                       : file_name(object);
}

std::string lsfd_name(const json& object) {
  if (object["kind"] == "unix_socket") {
    const std::string stream = object["socket"]["type"] == "stream" ? "UNIX-STREAM:[" : "UNIX:[";
    return stream + std::to_string(object["socket"]["inode"].get<long>()) + "]";
  }
  return object["kind"] == "eventfd" ? "anon_inode:[eventfd]" : file_name(object);
}

TEST(ParityLsof, tells_of_what_is_open_and_mapped_what_ls_tells) {
  on_machine("lsof", [](const Machine& machine) { expect_all(machine, lsof(machine), lsof_name, kinds_of_lsof); });
}

TEST(ParityLsfd, tells_of_what_is_open_and_mapped_what_ls_tells) {
  on_machine("lsfd", [](const Machine& machine) { expect_all(machine, lsfd(machine), lsfd_name, kinds_of_lsfd); });
}

// "w" and "r" of a part, "W" and "R" of the whole file.
char lock_letter(const json& lock) {
  const bool whole = lock["first"] == 0 && lock["last"].is_null();
  return lock["mode"] == "write" ? (whole ? 'W' : 'w') : (whole ? 'R' : 'r');
}

TEST(ParityLsof, tells_of_locks_what_ls_tells) {
  on_machine("lsof", [](const Machine& machine) {
    const json all = ls();
    std::size_t locks = 0;
    for (const Opened& one : lsof(machine)) {
      for (const json& object : objects(all, "file_lock")) {
        // A lock of flock(2) is all its heirs' too; lsof knows whom /proc/locks names, who took it.
        if (object["inode"] == one.inode && object["device"] == one.device && one.pid == machine.maker) {
          EXPECT_FALSE(holder(object, one.pid, "owns").is_null());
          EXPECT_EQ(one.lock, lock_letter(object["lock"])) << object;
          EXPECT_EQ(object["name"], one.name);
          ++locks;
        }
      }
    }
    EXPECT_EQ(locks, 2U);
  });
}

TEST(ParityLsof, and_lsfd_name_processes_and_their_users_as_ls_does) {
  on_machine("lsfd", [](const Machine& machine) {
    const json all = ls();
    const json rows = json_of("lsfd -J -p " + machine.list() + " -o PID,COMMAND,UID,USER")["lsfd"];
    EXPECT_FALSE(rows.empty());
    for (const json& row : rows) {
      const json one = process(all, row["pid"].get<long>());
      ASSERT_FALSE(one.is_null()) << row;
      EXPECT_EQ(row["command"], one["name"]);
      EXPECT_EQ(row["uid"], one["uid"]);
      EXPECT_EQ(row["user"], user_name(one["uid"]));
    }
  });
}

}  // namespace
}  // namespace parity
