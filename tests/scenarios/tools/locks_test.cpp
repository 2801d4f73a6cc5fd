#include "fixture.hpp"

#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/sync/lock_order.hpp>

#include <filesystem>
#include <fstream>
#include <span>

namespace tools {
namespace {

using namespace tenon;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

/// A domain, and two locks that are recorded there as a checked program would.
class LockedDomain {
 public:
  LockedDomain() { domain_.directory().allow_leftovers(); }
  const std::string& path() const { return domain_.path(); }
  std::string file() const { return path() + "/lock-order"; }
  static Result<void> lock(const LockRef& which, std::uint32_t line) {
    auto allowed = LockOrder::wanted(std::span(&which, 1), LockPlace("bank.cpp", line));
    if (allowed) {
      LockOrder::taken(which);
    }
    return allowed;
  }
  /// One that takes both in one order, and is refused the other.
  void invert() const {
    kit::run_sides({{"one", [this](kit::Stage&) {
                       lock(first, 1).or_throw();
                       lock(second, 2).or_throw();
                       LockOrder::released(first);
                       EXPECT_TRUE(lock(first, 3).failed_with(Errc::deadlock));
                     }}});
  }

  LockRef first = LockRef::in_memory(LockKind::mutex, this);
  LockRef second = LockRef::in_memory(LockKind::rw_lock, this);

 private:
  kit::UniqueDomain domain_;
};

std::size_t rows_with(const json& rows, const char* field, const char* value) {
  return static_cast<std::size_t>(std::ranges::count_if(rows, [&](const json& row) { return row[field] == value; }));
}

TEST(ToolsLocks, says_that_there_is_nothing_and_makes_nothing) {
  const kit::UniqueDomain domain;
  const Finished empty = run({"locks"});
  EXPECT_TRUE(empty.status.success());
  EXPECT_EQ(empty.output, "No checked program has locked anything in " + domain.path() + ".\n");
  EXPECT_THAT(kit::names_in(domain.path()), testing::IsEmpty());
  const std::string missing = domain.path() + "/none";
  EXPECT_TRUE(run({"locks", "--domain", missing}).status.success());
  EXPECT_FALSE(std::filesystem::exists(missing));
  expect_schema(parsed(run({"locks", "--json"})), schema("locks"));
}

// F81
TEST(ToolsLocks, shows_who_holds_what_and_the_order_that_was_refused) {
  const kit::Watchdog watchdog("one who holds a lock, and the command");
  const LockedDomain domain;
  domain.invert();
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       domain.lock(domain.first, 7).or_throw();
                       stage.signal("held");
                       stage.await("shown");
                       LockOrder::released(domain.first);
                     }}});
  sides.stage().await("held");
  const pid_t holder = sides.side("holder").process().pid();
  const Finished finished = run({"locks"});
  const json all = parsed(run({"locks", "--json"}));
  sides.stage().signal("shown");
  sides.finish();
  EXPECT_THAT(finished.output,
              AllOf(ContainsRegex("mutex at 0x[0-9a-f]+ of pid [0-9]+ +" + std::to_string(holder) + " +bank.cpp:7"),
                    ContainsRegex("mutex at .*rw lock at .*bank.cpp:1 +bank.cpp:2\n"),
                    ContainsRegex("rw lock at .*mutex at .* refused .*bank.cpp:2 +bank.cpp:3\n"),
                    HasSubstr(" 1 orders, 1 refused\n")));
  expect_schema(all, schema("locks"));
  EXPECT_EQ(rows_with(all["orders"], "standing", "accepted"), 1U);
  EXPECT_EQ(rows_with(all["orders"], "standing", "refused"), 1U);
  const auto alive = std::ranges::find(all["holds"], json(holder), [](const json& row) { return row["pid"]; });
  ASSERT_NE(alive, all["holds"].end());
  EXPECT_EQ((*alive)["taken_at"], "bank.cpp:7");
  EXPECT_EQ((*alive)["died"], false);
}

TEST(ToolsLocks, says_of_a_hold_that_its_process_died) {
  const kit::Watchdog watchdog("one who is killed with a lock");
  const LockedDomain domain;
  kit::Sides sides({{"victim", [&](kit::Stage& stage) {
                       domain.lock(domain.first, 7).or_throw();
                       stage.signal("held");
                       stage.await("never");
                     }}});
  sides.stage().await("held");
  sides.side("victim").kill();
  sides.finish();
  EXPECT_THAT(run({"locks"}).output, ContainsRegex("mutex at .*, died +bank.cpp:7\n"));
  EXPECT_EQ(parsed(run({"locks", "--json"}))["holds"][0]["died"], true);
}

// F22 F27
TEST(ToolsLocks, says_what_is_wrong_with_a_file_that_it_cannot_read) {
  const LockedDomain domain;
  domain.invert();
  std::fstream(domain.file(), std::ios::in | std::ios::out) << "garbage!";
  Finished finished = run({"locks"});
  EXPECT_EQ(finished.status, ExitStatus::exited(1));
  EXPECT_THAT(finished.errors, AllOf(HasSubstr(domain.file()), HasSubstr("corrupt")));
  std::filesystem::resize_file(domain.file(), 100);
  EXPECT_EQ(run({"locks"}).status, ExitStatus::exited(1));
  std::filesystem::remove(domain.file());
  std::filesystem::create_symlink("/dev/zero", domain.file());
  finished = run({"locks", "--json"});
  EXPECT_EQ(finished.status, ExitStatus::exited(1));
  EXPECT_THAT(finished.errors, HasSubstr("no regular file"));
}

TEST(ToolsLocks, forgets_what_it_is_told_to_and_nothing_else) {
  const LockedDomain domain;
  domain.invert();
  EXPECT_TRUE(run({"locks", "--forget"}).status.success());
  EXPECT_FALSE(std::filesystem::exists(domain.file()));
  const Finished again = run({"locks", "--forget"});
  EXPECT_EQ(again.status, ExitStatus::exited(1));
  EXPECT_THAT(again.errors, HasSubstr("not found"));
  EXPECT_EQ(run({"locks", "--forget", "--json"}).status, ExitStatus::exited(2));
  std::filesystem::create_symlink("elsewhere", domain.file());
  std::ofstream(domain.path() + "/elsewhere") << "kept";
  EXPECT_TRUE(run({"locks", "--forget"}).status.success());
  EXPECT_TRUE(std::filesystem::exists(domain.path() + "/elsewhere"));
}

}  // namespace
}  // namespace tools
