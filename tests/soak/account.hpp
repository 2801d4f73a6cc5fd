#pragma once
/// What one subscriber has heard of each publisher, held against what the ledger says was published.
#include "role.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace soak {

class Account {
 public:
  /// Before the subscription is made.
  explicit Account(const Task& task);
  /// Once it is made: what is begun from now on, it must hear.
  void joined();

  /// A message came, and `lost_before` it, where that was told.
  void hear(std::span<const std::uint64_t> words, std::optional<std::uint64_t> lost_before);
  /// Whether each publisher that was there before has been heard. Until then batches, which do not tell what was lost
  /// before them, would leave open where a subscription began.
  bool knows_all_from_before() const noexcept { return unheard_from_before_ == 0; }
  void end_told() noexcept { ++ends_told_; }

  /// All publishers have ended, and everything was received.
  void settle(std::uint64_t lost_in_all);
  /// Adds to the ledger what was counted since.
  void count();

 private:
  struct Heard {
    bool begun = false;
    std::uint64_t start = 0;
    std::uint64_t next = 0;
  };
  struct Before {
    std::uint64_t sent;       ///< before the subscription was made
    std::uint64_t begun = 0;  ///< after that
  };

  Heard* heard_of(std::uint64_t publisher);
  void begin(Heard& heard, std::uint32_t publisher, std::uint64_t number, std::optional<std::uint64_t> lost_before);
  void go_on(Heard& heard, std::uint64_t number, std::optional<std::uint64_t> lost_before);
  void count_gap(std::uint64_t messages) noexcept;
  bool settle(std::uint32_t publisher);
  void complain_about(std::uint32_t publisher, const std::string& what);
  bool is_lossy() const noexcept { return task_.role.work == Work::receive_lossy; }

  const Task& task_;
  std::vector<Heard> heard_;
  std::vector<Before> before_;
  std::size_t unheard_from_before_ = 0;
  std::uint64_t ends_told_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t messages_ = 0;  // these four: since count()
  std::uint64_t words_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t counted_lost_ = 0;
};

}  // namespace soak
