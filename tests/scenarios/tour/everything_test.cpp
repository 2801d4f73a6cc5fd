/// The whole tour, where nothing else happens: every program of its page passes, and not one object more is there
/// afterwards.
#include <scenarios/transfer/command.hpp>

#include <kit/leak_check.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/unique.hpp>
#include <cstring>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <sys/mount.h>
#include <vector>

namespace {

using namespace tenon;
using nlohmann::json;
using transfer::Command;
using transfer::Finished;

constexpr auto most = std::chrono::seconds(100);

// The first column of the page's table, row by row: the name of the entry, then those that it goes by too.
std::vector<std::vector<std::string>> names_on_the_page() {
  std::vector<std::vector<std::string>> rows;
  std::ifstream page(TENON_SEEDS_PAGE);
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| ") || line.starts_with("| name ")) {
      continue;
    }
    std::istringstream names(line.substr(2, line.find(" |", 2) - 2));
    std::vector<std::string> row;
    for (std::string name; std::getline(names >> std::ws, name, ',');) {
      row.push_back(name);
    }
    rows.push_back(row);
  }
  return rows;
}

TEST(TourEverything, passes_and_leaves_not_one_object_more) {
  const auto page = names_on_the_page();
  ASSERT_FALSE(page.empty());
  const auto body = [&] {
    ASSERT_EQ(::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), 0) << std::strerror(errno);
    const kit::LeakCheck check(kit::Scope::machine);
    const Finished finished = Command({"tour", "--json"}).finish(most);
    EXPECT_TRUE(finished.status.success()) << finished.errors;
    const json rows = json::parse(finished.output, nullptr, false);
    ASSERT_TRUE(rows.is_array()) << finished.output;
    std::vector<std::string> ran;
    for (const json& row : rows) {
      ran.push_back(row["name"]);
      EXPECT_TRUE(row["passed"].get<bool>()) << row;
    }
    std::vector<std::string> wanted;
    for (const auto& names : page) {
      wanted.push_back(names.front());
    }
    EXPECT_THAT(ran, testing::UnorderedElementsAreArray(wanted));
    EXPECT_THAT(kit::names_in("/tmp"), testing::IsEmpty());
  };
  kit::in_private_namespaces(body, kit::Namespaces::objects, most);
}

TEST(TourEverything, every_name_of_the_page_is_one_of_an_entry) {
  for (const auto& names : names_on_the_page()) {
    for (std::size_t i = 1; i < names.size(); ++i) {
      const json rows = json::parse(Command({"tour", names[i], "--json"}).finish().output, nullptr, false);
      ASSERT_EQ(rows.size(), 1U) << names[i];
      EXPECT_EQ(rows[0]["name"], names[0]) << names[i];
    }
  }
}

}  // namespace
