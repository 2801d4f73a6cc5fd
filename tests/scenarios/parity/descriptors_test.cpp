// lsof and lsfd beside `tenon ls --json`: what each process has open and mapped.
//
// Of lsof's fields these are compared: p, c, u, f, a, l, t, D, d (of sockets), G, s, o, i, k, n, TST, and of +E the
// peers. The others are no attribute of an object: g, R (a process's group and parent), L (the name of u), and P, whose
// only value for these is told by the type. Of lsfd's columns all, but: DEV, BLKDRV, CHRDRV, MISCDEV, PARTITION, RDEV,
// DEVTYPE, which tell of devices; SOURCE, a name for MAJ:MIN; KTHREAD and TID, which tell of a process.
#include "opened.hpp"
#include "told.hpp"

#include <fcntl.h>
#include <map>
#include <set>
#include <unistd.h>

namespace parity {
namespace {

// As lsfd writes flags.
std::string words_of_flags(unsigned long flags) {
  const std::vector<std::pair<unsigned long, std::string>> names = {
      {O_APPEND, "append"}, {O_NONBLOCK, "nonblock"}, {O_CLOEXEC, "cloexec"}};
  const unsigned long access = flags & O_ACCMODE;
  std::string text = access == O_WRONLY ? "wronly" : access == O_RDWR ? "rdwr" : "";
  for (const auto& [bit, name] : names) {
    text += (flags & bit) == 0 ? "" : (text.empty() ? "" : ",") + name;
  }
  return text;
}

void expect_opened(const json& descriptor, const Opened& one) {
  const unsigned long flags = std::stoul(descriptor["flags"].get<std::string>(), nullptr, 8);
  EXPECT_EQ(flags, one.flags.value_or(flags));
  EXPECT_EQ(words_of_flags(flags), one.flag_names.value_or(words_of_flags(flags)));
  EXPECT_TRUE(!one.position || descriptor["position"] == *one.position) << descriptor << *one.position;
  EXPECT_TRUE(!one.mount || descriptor["mount"] == *one.mount) << descriptor << *one.mount;
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
        expect_opened(descriptor, one);
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

void expect_same_socket(const Opened& one, const json& socket) {
  const std::map<std::string, std::string> states = {{"connected", "CONNECTED"},
                                                     {"listening", "LISTEN"},
                                                     {"unconnected", "UNCONNECTED"},
                                                     {"connecting", "CONNECTING"}};
  EXPECT_EQ(socket["inode"], one.inode);
  EXPECT_TRUE(!one.device || socket["device"] == *one.device) << socket << *one.device;
  EXPECT_TRUE(one.address.empty() || socket["address"] == one.address) << socket << one.address;
  EXPECT_TRUE(one.state.empty() || states.at(socket["state"]) == one.state) << socket << one.state;
  EXPECT_TRUE(!one.owner || socket["user"] == *one.owner) << socket;
  EXPECT_EQ(one.protocol.value_or(socket["type"] == "stream" ? "UNIX-STREAM" : "UNIX"),
            socket["type"] == "stream" ? "UNIX-STREAM" : "UNIX");
}

// Names that lead to it, and its owner. The kernel's own file of a socket or an eventfd always has one name, which
// tells nothing of it.
void expect_same_file(const Opened& one, const json& object) {
  EXPECT_TRUE(!one.links || object["links"] == *one.links) << object << *one.links;
  EXPECT_TRUE(!one.owner || object["owner"] == *one.owner) << object << *one.owner;
  EXPECT_EQ(one.deleted.value_or(false), one.deleted && (object["kind"] == "memfd" || object["state"] == "unlinked"));
}

void expect_same(const Opened& one, const json& object) {
  const std::string kind = object["kind"];
  if (kind == "unix_socket") {
    expect_same_socket(one, object["socket"]);
  } else if (kind != "eventfd" && kind != "sysv_memory") {
    expect_same_file(one, object);
  }
  if (kind == "sysv_memory") {
    EXPECT_EQ(object["id"], one.inode);
  } else if (kind != "eventfd" && kind != "unix_socket") {  // those have one inode among them, and a number
    EXPECT_EQ(object["inode"], one.inode) << object;
    EXPECT_TRUE(!one.device || object["device"] == *one.device) << object << *one.device;
  }
  if (one.type == "REG" && one.size && kind != "sysv_memory") {
    EXPECT_EQ(object["size"], *one.size) << object;
  }
}

std::string without_mark(const std::string& name) { return name.substr(0, name.find(" (deleted)")); }

/// How much of an object a process has mapped, by the object's kind and name and by the process.
using Pages = std::map<std::pair<std::string, long>, std::uint64_t>;

// lsof does not tell; then all are 0.
void expect_mapped(const json& all, const Pages& pages) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  for (const json& object : all["objects"]) {
    for (const json& one : object["holders"]) {
      const std::string name = object["kind"].get<std::string>() + ":" + object["name"].get<std::string>();
      const auto found = pages.find({name, one["pid"].get<long>()});
      if (found != pages.end() && found->second > 0 && one["relation"] == "maps") {
        EXPECT_EQ(one["mapped"], found->second * page) << object;
      }
    }
  }
}

using NameOf = std::string (*)(const json& object);

void expect_all(const Machine& machine, const std::vector<Opened>& opened, NameOf name_of,
                const std::set<std::string>& expected_kinds) {
  const json all = ls();
  std::set<std::string> kinds;
  std::size_t descriptors = 0;
  Pages pages;
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
    pages[{object["kind"].get<std::string>() + ":" + object["name"].get<std::string>(), one.pid}] += one.pages;
  }
  expect_mapped(all, pages);
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

json socket_of(const std::vector<json>& sockets, long inode) {
  const auto found = std::ranges::find_if(sockets, [&](const json& one) { return one["socket"]["inode"] == inode; });
  return found == sockets.end() ? json(nullptr) : (*found)["socket"];
}

// lsof also names to a receiver of datagrams one that is connected to it, and to a listener one that waits there, whose
// other end is nobody's yet.
bool are_ends(const json& one, const json& other) {
  return !other.is_null() && (one["peer"] == other["inode"] || other["peer"] == one["inode"] ||
                              (one["state"] == "listening" && other["peer"].is_null()) ||
                              (other["state"] == "listening" && one["peer"].is_null()));
}

// Lines of +E: "python3 3 root 5u unix 0x… 0t0 4711 type=STREAM ->INO=4712 3,python3,7u (CONNECTED)".
TEST(ParityLsof, names_the_ends_of_connections_as_ls_does) {
  on_machine("lsof", [](const Machine& machine) {
    const auto sockets = objects(ls(), "unix_socket");
    std::map<std::string, std::string> peers;
    for (const auto& words : words_of("lsof +E -nP -p " + machine.list() + " 2>/dev/null || true")) {
      const auto peer = std::ranges::find_if(words, [](const std::string& word) { return word.starts_with("->INO="); });
      if (words.size() > 7 && words[4] == "unix" && peer != words.end()) {
        peers[words[7]] = peer->substr(6);
      }
    }
    EXPECT_FALSE(peers.empty());
    for (const json& object : sockets) {
      const json& socket = object["socket"];
      const auto found = peers.find(std::to_string(socket["inode"].get<long>()));
      if (found != peers.end()) {
        EXPECT_TRUE(are_ends(socket, socket_of(sockets, std::stol(found->second)))) << object << found->second;
      }
    }
  });
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
