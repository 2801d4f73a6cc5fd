/// `ipcs` and `ipcrm` of util-linux beside `tenon ls` and `tenon rm`, over the same System V objects. ipcs(1), ipcrm(1)
#include "fixture.hpp"

#include <kit/private_namespaces.hpp>
#include <array>
#include <map>
#include <pwd.h>
#include <sstream>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

namespace tools {
namespace {

using namespace tenon;

/// What both tools say of one object: key, identifier, owner, mode, and the numbers that ipcs has columns for.
struct Row {
  std::string key;
  std::string owner;
  std::string mode;
  std::vector<std::uint64_t> figures;
  bool operator==(const Row&) const = default;
};
using Rows = std::map<int, Row>;

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.key << " " << row.owner << " " << row.mode;
  for (const std::uint64_t figure : row.figures) {
    *out << " " << figure;
  }
}

struct Tool {
  const char* kind;
  char letter;                       // ipcs -X, ipcrm -X ID
  std::vector<std::string> figures;  // in the order of ipcs's columns
};

const std::vector<Tool>& tools() {
  static const std::vector<Tool> all = {{"sysv_queue", 'q', {"bytes", "messages"}},
                                        {"sysv_memory", 'm', {"bytes", "attached"}},
                                        {"sysv_semaphore", 's', {"semaphores"}}};
  return all;
}

// Lines that begin with a key: key, identifier, owner, mode, figures.
Rows rows_of_ipcs(const Tool& tool) {
  Rows rows;
  std::istringstream lines(printed_by(std::string("ipcs -") + tool.letter));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    Row row;
    int id = 0;
    if (line.starts_with("0x") && fields >> row.key >> id >> row.owner >> row.mode) {
      row.figures.resize(tool.figures.size());
      for (std::uint64_t& figure : row.figures) {
        fields >> figure;
      }
      rows[id] = row;
    }
  }
  return rows;
}

std::string user_name(uid_t user) {
  const passwd* entry = ::getpwuid(user);
  return entry != nullptr ? entry->pw_name : std::to_string(user);
}

Rows rows_of_tenon(const Tool& tool) {
  Rows rows;
  const json value = parsed(run({"ls", "--json", "--mechanism", tool.kind}));
  for (const json& object : value["objects"]) {
    // ipcs names the creator under "owner".
    Row row{.key = object["name"],
            .owner = user_name(object["creator"]),
            .mode = object["mode"].get<std::string>().substr(1),
            .figures = {}};
    for (const std::string& figure : tool.figures) {
      row.figures.push_back(object["figures"][figure]);
    }
    rows[object["id"]] = row;
  }
  return rows;
}

// Two of each kind, with different keys, modes and contents.
void make_objects() {
  const std::array<char, 64> message = {1};
  ASSERT_EQ(::msgsnd(::msgget(0x162e, IPC_CREAT | 0640), message.data(), 11, 0), 0);
  ASSERT_NE(::msgget(IPC_PRIVATE, 0600), -1);
  ASSERT_NE(::shmget(0x4d2, 10000, IPC_CREAT | 0666), -1);
  ASSERT_NE(::shmget(IPC_PRIVATE, 4096, 0600), -1);
  ASSERT_NE(::semget(0x270f, 3, IPC_CREAT | 0604), -1);
  ASSERT_NE(::semget(IPC_PRIVATE, 1, 0600), -1);
}

bool have_util_linux() {
  return Command::by_shell("command -v ipcs && command -v ipcrm", {}).finish().status.success();
}

TEST(ToolsAndUtilLinux, list_the_same_rows) {
  if (!have_util_linux()) {
    GTEST_SKIP() << "ipcs and ipcrm are not installed";
  }
  kit::in_private_namespaces([] {
    make_objects();
    void* attached = ::shmat(::shmget(0x4d2, 0, 0), nullptr, 0);
    for (const Tool& tool : tools()) {
      const Rows theirs = rows_of_ipcs(tool);
      EXPECT_EQ(theirs.size(), 2U) << tool.kind;
      EXPECT_EQ(rows_of_tenon(tool), theirs) << tool.kind;
    }
    ::shmdt(attached);
  });
}

TEST(ToolsAndUtilLinux, remove_the_same_objects) {
  if (!have_util_linux()) {
    GTEST_SKIP() << "ipcs and ipcrm are not installed";
  }
  kit::in_private_namespaces([] {
    make_objects();
    for (const Tool& tool : tools()) {
      const Rows before = rows_of_ipcs(tool);
      ASSERT_EQ(before.size(), 2U);
      const int first = before.begin()->first;
      const int second = before.rbegin()->first;
      printed_by("ipcrm -" + std::string(1, tool.letter) + " " + std::to_string(first));
      EXPECT_EQ(rows_of_tenon(tool), (Rows{*before.rbegin()})) << tool.kind;
      const std::string target = std::string(tool.kind) + ":#" + std::to_string(second);
      const Finished removed = run({"rm", target, "--force"});
      EXPECT_TRUE(removed.status.success()) << removed.errors;
      EXPECT_EQ(rows_of_ipcs(tool), Rows()) << tool.kind;
      EXPECT_FALSE(
          Command::by_shell("ipcrm -" + std::string(1, tool.letter) + " " + std::to_string(second) + " 2>&1", {})
              .finish()
              .status.success());
    }
  });
}

TEST(ToolsAndUtilLinux, the_first_shows_no_posix_objects_and_the_second_does) {
  if (!have_util_linux()) {
    GTEST_SKIP() << "ipcs is not installed";
  }
  kit::in_private_namespaces([] {
    printed_by("touch /dev/shm/frames");
    EXPECT_EQ(printed_by("ipcs").find("frames"), std::string::npos);
    EXPECT_NE(run({"ls"}).output.find("/frames"), std::string::npos);
    printed_by("rm /dev/shm/frames");
  });
}

}  // namespace
}  // namespace tools
