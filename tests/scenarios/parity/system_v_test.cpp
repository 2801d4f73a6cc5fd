// ipcs -a and lsipc beside `tenon ls --json`. All columns but those of lsipc --global, which are limits: `tenon
// doctor`.
#include "told.hpp"

namespace parity {
namespace {

using Row = std::vector<std::string>;

// "0640" as ipcs writes it.
std::string permissions(const json& object) { return object["mode"].get<std::string>().substr(1); }

std::string number(const json& value) { return std::to_string(value.get<long>()); }

// The rows of one table of ipcs: those between "------ Message Queues --------" and the next such line.
std::vector<Row> table_of(const std::string& heading) {
  std::vector<Row> rows;
  bool inside = false;
  for (const Row& row : words_of("ipcs -a")) {
    inside = !row.empty() && row.front() == "------" ? row[1] == heading : inside;
    if (inside && !row.empty() && row.front().starts_with("0x")) {
      rows.push_back(row);
    }
  }
  return rows;
}

template <class Expected>
void expect_table(const char* heading, const char* kind, Expected expected) {
  on_machine("ipcs", [&](const Machine&) {
    const auto told = objects(ls(), kind);
    std::vector<Row> rows;
    for (const json& object : told) {
      rows.push_back(expected(object));
    }
    EXPECT_FALSE(rows.empty());
    EXPECT_THAT(table_of(heading), testing::UnorderedElementsAreArray(rows));
  });
}

TEST(ParityIpcs, tells_of_queues_what_ls_tells) {
  expect_table("Message", "sysv_queue", [](const json& object) -> Row {
    return {object["name"],
            number(object["id"]),
            user_name(object["owner"]),
            permissions(object),
            number(object["figures"]["bytes"]),
            number(object["figures"]["messages"])};
  });
}

TEST(ParityIpcs, tells_of_memory_what_ls_tells) {
  expect_table("Shared", "sysv_memory", [](const json& object) {
    Row row = {object["name"],
               number(object["id"]),
               user_name(object["owner"]),
               permissions(object),
               number(object["figures"]["bytes"]),
               number(object["figures"]["attached"])};
    if (object["state"] == "marked for removal") {
      row.emplace_back("dest");
    }
    return row;
  });
}

TEST(ParityIpcs, tells_of_semaphores_what_ls_tells) {
  expect_table("Semaphore", "sysv_semaphore", [](const json& object) -> Row {
    return {object["name"], number(object["id"]), user_name(object["owner"]), permissions(object),
            number(object["figures"]["semaphores"])};
  });
}

TEST(ParityIpcs, tells_of_each_semaphore_of_a_set_what_ls_tells) {
  on_machine("ipcs", [](const Machine& machine) {
    const auto sets = objects(ls(), "sysv_semaphore");
    ASSERT_EQ(sets.size(), 1U);
    std::vector<Row> rows;
    for (const Row& row : words_of("ipcs -s -i " + number(sets[0]["id"]))) {
      if (row.size() == 5 && row[0] != "semnum") {
        rows.push_back(row);
      }
    }
    std::vector<Row> told;
    for (const json& one : sets[0]["semaphores"]) {
      told.push_back({std::to_string(told.size()), number(one["value"]), number(one["waiting_for_more"]),
                      number(one["waiting_for_zero"]), number(one["last"])});
    }
    EXPECT_THAT(rows, testing::ElementsAreArray(told));
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[1][4], std::to_string(machine.maker));
    EXPECT_EQ(rows[2][2], "1") << "one sleeps for it";
  });
}

// Whether ls remembers that process for that; 0 is nobody.
bool remembers(const json& object, const char* relation, long pid) {
  bool any = false;
  bool same = false;
  for (const json& one : object["last_users"]) {
    any = any || one["relation"] == relation;
    same = same || (one["relation"] == relation && one["pid"] == pid);
  }
  return pid == 0 ? !any : same;
}

struct Remembered {
  const char* column;
  const char* relation;
};

// "0640" as "rw-r-----"
std::string letters(const std::string& mode) {
  std::string text;
  for (const char digit : mode.substr(1)) {
    const int bits = digit - '0';
    text += std::string((bits & 4) != 0 ? "r" : "-") + ((bits & 2) != 0 ? "w" : "-") + ((bits & 1) != 0 ? "x" : "-");
  }
  return text;
}

// What lsipc says of all kinds, and who did what last.
void expect_common(const json& row, const json& object, const std::vector<Remembered>& people) {
  EXPECT_EQ(row["key"], object["name"]);
  EXPECT_EQ(row["owner"], user_name(object["owner"]));
  EXPECT_EQ(row["user"], user_name(object["owner"]));
  EXPECT_EQ(row["uid"], number(object["owner"]));
  EXPECT_EQ(row["cuid"], number(object["creator"]));
  EXPECT_EQ(row["cuser"], user_name(object["creator"]));
  EXPECT_EQ(row["gid"], number(object["group"]));
  EXPECT_EQ(row["group"], group_name(object["group"]));
  EXPECT_EQ(row["cgid"], number(object["creator_group"]));
  EXPECT_EQ(row["cgroup"], group_name(object["creator_group"]));
  EXPECT_EQ(row["perms"], letters(object["mode"]));
  EXPECT_EQ(row["ctime"], iso_time(object["changed"]));
  for (const Remembered& one : people) {
    EXPECT_TRUE(remembers(object, one.relation, std::stol(row[one.column].get<std::string>()))) << one.column << row;
  }
}

// Of the maker, as long as it lives. lsipc cuts it where an argument ends.
void expect_command(const json& told, long maker) {
  const json one = process(ls(), maker);
  ASSERT_FALSE(one.is_null());
  EXPECT_TRUE(one["command"].get<std::string>().starts_with(told.get<std::string>())) << told << one;
}

constexpr const char* common = "KEY,ID,OWNER,PERMS,CUID,CUSER,CGID,CGROUP,UID,USER,GID,GROUP,CTIME,";

template <class Check>
void expect_rows(const std::string& option, const std::string& columns, const char* name, const char* kind,
                 Check check) {
  on_machine("lsipc", [&](const Machine&) {
    const auto told = objects(ls(), kind);
    const json rows = json_of("TZ=UTC lsipc " + option + " -J -b --time-format iso -o " + common + columns)[name];
    ASSERT_EQ(rows.size(), told.size());
    for (const json& row : rows) {
      const auto found = std::ranges::find_if(told, [&](const json& one) { return row["id"] == number(one["id"]); });
      ASSERT_NE(found, told.end()) << row;
      check(row, *found);
    }
  });
}

TEST(ParityLsipc, tells_of_queues_what_ls_tells) {
  expect_rows("-q", "USEDBYTES,MSGS,SEND,RECV,LSPID,LRPID", "messages", "sysv_queue",
              [](const json& row, const json& object) {
                expect_common(row, object, {{"lspid", "last_sent"}, {"lrpid", "last_received"}});
                EXPECT_EQ(row["usedbytes"], number(object["figures"]["bytes"]));
                EXPECT_EQ(row["msgs"], number(object["figures"]["messages"]));
                EXPECT_EQ(row["send"], iso_time(time_of(object, "sent")));
                EXPECT_EQ(row["recv"], iso_time(time_of(object, "received")));
              });
}

TEST(ParityLsipc, tells_of_memory_what_ls_tells) {
  expect_rows("-m", "SIZE,NATTCH,STATUS,ATTACH,DETACH,CPID,LPID,COMMAND", "sharedmemory", "sysv_memory",
              [](const json& row, const json& object) {
                expect_common(row, object, {{"cpid", "created"}, {"lpid", "last_attached"}});
                EXPECT_EQ(row["size"], number(object["size"]));
                EXPECT_EQ(row["nattch"], number(object["figures"]["attached"]));
                EXPECT_EQ(row["status"].is_null() ? json("") : row["status"],
                          object["state"] == "marked for removal" ? "dest" : "");
                expect_command(row["command"], std::stol(row["cpid"].get<std::string>()));
                EXPECT_EQ(row["attach"], iso_time(time_of(object, "attached")));
                EXPECT_EQ(row["detach"], iso_time(time_of(object, "detached")));
              });
}

TEST(ParityLsipc, tells_of_semaphores_what_ls_tells) {
  expect_rows("-s", "NSEMS,OTIME", "semaphores", "sysv_semaphore", [](const json& row, const json& object) {
    expect_common(row, object, {});
    EXPECT_EQ(row["nsems"], number(object["figures"]["semaphores"]));
    EXPECT_EQ(row["otime"], iso_time(time_of(object, "operated")));
  });
}

}  // namespace
}  // namespace parity
