#pragma once
/// What the processes of a soak tell each other beside the topics that they test: how far each publisher came, what
/// each process counted, and what was wrong. It lies in memory that all share by fork, so whoever is killed leaves what
/// it has written there.
#include <kit/shared.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace soak {

inline constexpr std::size_t topic_count = 4;
/// Of one topic in one round; whoever is started beyond that starts a new round.
inline constexpr std::uint32_t most_publishers = 4096;

/// How far one publisher has come, from its birth to its death. What it published is sent or sent + 1 … begun: it may
/// have been killed between the message and the number that counts it.
struct alignas(64) Progress {
  std::atomic<std::uint64_t> begun = 0;
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> end =
      0;  ///< 1 + how many the first subscriber that drained it found; the others must agree
};

struct TopicLedger {
  std::atomic<std::uint32_t> publishers = 0;
  std::array<Progress, most_publishers> progress;
};

/// What all processes have counted, in steps of some hundred messages: whoever is killed takes the last few along.
struct alignas(64) Tally {
  std::atomic<std::uint64_t> received = 0;  ///< messages, each of them looked at whole
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> gaps = 0;
  std::atomic<std::uint64_t> lost = 0;            ///< messages in gaps
  std::atomic<std::uint64_t> held = 0;            ///< long messages that were held, and looked at again later
  std::atomic<std::uint64_t> ends_told = 0;       ///< closed and peer_died
  std::atomic<std::uint64_t> ends_checked = 0;    ///< publishers whose last message a subscriber had to have, and had
  std::atomic<std::uint64_t> reliable_ended = 0;  ///< subscribers that lived until all was drained
  std::atomic<std::uint64_t> lossy_ended = 0;
  std::atomic<std::uint64_t> garbage = 0;  ///< words that hostile subscribers have written
};

enum class Phase : std::uint32_t {
  work,
  no_more,  ///< publishers close
  drain,    ///< no publisher is left: subscribers receive what there is, and leave
};

class Ledger {
 public:
  /// A round begins: nobody has published anything.
  void begin_round(std::uint32_t number);

  std::uint32_t round() const noexcept { return round_; }
  Phase phase() const noexcept { return phase_.load(std::memory_order_relaxed); }
  void enter(Phase phase) noexcept { phase_.store(phase, std::memory_order_relaxed); }

  TopicLedger& topic(std::size_t topic) noexcept { return topics_[topic]; }
  Tally& tally() noexcept { return tally_; }

  /// Something is not as it must be. The first few are kept in their words.
  void complain(std::string_view what) noexcept;
  std::uint64_t complaints() const noexcept { return complaints_.load(); }
  std::string complaint(std::size_t i) const { return texts_[i].data(); }
  static constexpr std::size_t kept_complaints = 16;

 private:
  std::uint32_t round_ = 0;
  std::atomic<Phase> phase_ = Phase::work;
  std::array<TopicLedger, topic_count> topics_;
  Tally tally_;
  std::atomic<std::uint64_t> complaints_ = 0;
  std::array<std::array<char, 240>, kept_complaints> texts_{};
};

}  // namespace soak
