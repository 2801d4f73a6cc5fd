#include <tenon/base/contract.hpp>

#include <cstdlib>
#include <gtest/gtest.h>

namespace {

TEST(ContractDeathTest, what_holds_lets_the_caller_go_on) {
  EXPECT_EXIT((tenon::expects(true, "never printed"), std::_Exit(7)), testing::ExitedWithCode(7), "");
}

TEST(ContractDeathTest, what_does_not_hold_ends_the_process_with_place_and_sentence) {
  EXPECT_EXIT(tenon::expects(false, "the sky is blue"), testing::KilledBySignal(SIGABRT),
              "contract_test.cpp:[0-9]+: broken contract: the sky is blue");
}

}  // namespace
