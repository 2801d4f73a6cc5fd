#pragma once
/// What processes do that are killed at random in the test of `tenon gc`.
#include <tenon/os/domain.hpp>

#include <memory>
#include <random>
#include <string>

namespace tools {

/// Where they meet.
struct Playground {
  std::shared_ptr<const tenon::Domain> domain;
  std::string directory;  ///< for sockets
};

/// Makes and uses objects of all mechanisms, chosen by the seed, until it is killed. Others do the same beside it, so
/// whatever fails is tried again.
[[noreturn]] void make_and_use(const Playground& playground, std::mt19937::result_type seed);

}  // namespace tools
