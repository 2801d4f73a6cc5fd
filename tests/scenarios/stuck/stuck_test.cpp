/// `tenon why` on everything that is staged here, and on what only looks so.
#include "nobody.hpp"
#include "situation.hpp"

#include <scenarios/transfer/command.hpp>

#include <kit/watchdog.hpp>

#include <algorithm>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace stuck {
namespace {

using testing::HasSubstr;
using transfer::Command;
using transfer::Finished;

Finished why(std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.begin(), "why");
  return Command(arguments).finish();
}

std::string first_missing(const Told& told, const Finished& answer) {
  const auto missing =
      std::ranges::find_if(told.words, [&](const std::string& word) { return !answer.output.contains(word); });
  return missing == told.words.end() ? "" : *missing;
}

// On its way to where it stays, a process may sleep elsewhere: so it is asked until the answer is there, or never
// comes.
void expect_told(const Told& told) {
  const auto late = std::chrono::steady_clock::now() + kit::patient(std::chrono::seconds(8));
  Finished answer = why({std::to_string(told.ask)});
  while ((answer.status.code() != 1 || !first_missing(told, answer).empty()) &&
         std::chrono::steady_clock::now() < late) {
    answer = why({std::to_string(told.ask)});
  }
  EXPECT_EQ(answer.status.code(), 1) << answer.output << answer.errors;
  for (const std::string& word : told.words) {
    EXPECT_THAT(answer.output, HasSubstr(word));
  }
  EXPECT_THAT(answer.output, HasSubstr("remedy: "));
  EXPECT_THAT(why().output, HasSubstr("(" + std::to_string(told.ask) + ")")) << "without being asked";
}

void expect_unaccused(const Room& room) {
  const Finished all = why();
  for (const pid_t pid : room.pids()) {
    EXPECT_THAT(all.output, testing::Not(HasSubstr("(" + std::to_string(pid) + ")")));
    const Finished one = why({std::to_string(pid)});
    EXPECT_EQ(one.status.code(), 0) << one.output << one.errors;
  }
}

class Stuck : public testing::TestWithParam<Situation> {};

TEST_P(Stuck, is_told_with_object_owner_and_remedy) {
  const kit::Watchdog watchdog(GetParam().name);
  Room room;
  const Told told = GetParam().stage(room);
  room.let_go();
  expect_told(told);
}

// Another user's processes may not be seen; one's own may, and are enough.
TEST_P(Stuck, is_told_to_an_ordinary_user_too) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "this is an ordinary user, as in the other test";
  }
  const kit::Watchdog watchdog(GetParam().name);
  as_nobody([] {},
            [&] {
              Room room;
              const Told told = GetParam().stage(room);
              room.let_go();
              expect_told(told);
            });
}

class LooksAlike : public testing::TestWithParam<LookAlike> {};

TEST_P(LooksAlike, and_nobody_is_accused) {
  const kit::Watchdog watchdog(GetParam().name);
  Room room;
  GetParam().stage(room);
  room.let_go();
  expect_unaccused(room);
  expect_unaccused(room);
}

template <class Row>
std::vector<Row> joined(std::initializer_list<std::span<const Row>> tables) {
  std::vector<Row> all;
  for (const auto& table : tables) {
    all.insert(all.end(), table.begin(), table.end());
  }
  return all;
}

const auto name_of_row = [](const auto& info) { return std::string(info.param.name); };

INSTANTIATE_TEST_SUITE_P(Matrix, Stuck,
                         testing::ValuesIn(joined({stuck_alone(), stuck_at_locks(), stuck_in_circles(),
                                                   stuck_beside_others()})),
                         name_of_row);
INSTANTIATE_TEST_SUITE_P(Matrix, LooksAlike,
                         testing::ValuesIn(joined({look_alikes(), look_alikes_at_locks(), look_alikes_at_names()})),
                         name_of_row);

}  // namespace
}  // namespace stuck
