#pragma once
/// One round of a soak: all its processes work and are killed and replaced; then the publishers end, the subscribers
/// receive the rest, and what each has heard is held against what the others have; then nothing is left.
#include "ledger.hpp"
#include "random.hpp"
#include "role.hpp"

#include <tenon/os/domain.hpp>
#include <tenon/os/process.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace soak {

struct Options {
  std::uint64_t messages = 1'000'000'000;
  double minutes = 0;  ///< 0: until all messages were received
  std::uint64_t seed = 1;
  Fault fault = Fault::none;
  bool kills = true;
  bool hostile = false;  ///< with subscribers that write garbage wherever they may
};

struct Kills {
  std::uint64_t killed = 0;
  std::uint64_t restarted = 0;
  std::uint64_t rounds = 0;
};

class Round {
 public:
  Round(const tenon::Domain& domain, Ledger& ledger, const Options& options, Random& random, Kills& kills);

  /// Until it has gone on for long enough, which `is_enough` says.
  void run(const std::function<bool()>& is_enough);

 private:
  struct Seat {
    Role role;
    std::optional<tenon::Child> process = {};
  };

  void take_seats();
  void take_hostile_seats();
  void start(Seat& seat);
  void work(const std::function<bool()>& is_enough);
  void end_publishers();
  void drain();
  bool any_publishers_left() const;
  void kill(Seat& seat);
  void reap(Seat& seat);
  void expect_alive();
  void expect_nothing_left(const std::vector<std::string>& names_before);

  const tenon::Domain& domain_;
  Ledger& ledger_;
  const Options& options_;
  Random& random_;
  Kills& kills_;
  std::vector<Seat> seats_;
};

}  // namespace soak
