#include <tenon/inspect/patterns/lives.hpp>
#include <tenon/os/life.hpp>

#include <kit/unique.hpp>

#include <gtest/gtest.h>
#include <utility>

namespace {

using namespace tenon;
using inspect::Lives;

TEST(InspectLives, know_who_joined_after_the_first_question) {
  const kit::UniqueDomain unique;
  Lives lives(unique.domain());
  const Life first = Life::join(unique.domain()).or_throw();
  EXPECT_FALSE(lives.is_gone(first.token()));
  const Life second = Life::join(unique.domain()).or_throw();
  EXPECT_FALSE(lives.is_gone(second.token()));
  EXPECT_TRUE(lives.is_gone(Token::random()));
  const Life third = Life::join(unique.domain()).or_throw();
  EXPECT_FALSE(lives.is_gone(third.token()));
}

TEST(InspectLives, know_who_left_after_the_first_question) {
  const kit::UniqueDomain unique;
  Lives lives(unique.domain());
  const Life stays = Life::join(unique.domain()).or_throw();
  Life leaves = Life::join(unique.domain()).or_throw();
  const Token token = leaves.token();
  EXPECT_FALSE(lives.is_gone(stays.token()));
  std::move(leaves).leave().or_throw();
  EXPECT_TRUE(lives.is_gone(token));
}

TEST(InspectLives, ask_each_once) {
  const kit::UniqueDomain unique;
  Lives lives(unique.domain());
  Life one = Life::join(unique.domain()).or_throw();
  const Token token = one.token();
  EXPECT_FALSE(lives.is_gone(token));
  std::move(one).leave().or_throw();
  EXPECT_FALSE(lives.is_gone(token));
}

}  // namespace
