#pragma once
/// What a process of a soak does.
#include "ledger.hpp"

#include <tenon/os/domain.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace soak {

/// Something wrong that the soak does itself now and then, and must find.
enum class Fault : std::uint8_t {
  none,
  torn,        ///< a publisher writes a message of which one word is another's
  skipped,     ///< a publisher leaves a number out
  swallowed,   ///< a reliable subscriber passes over a message that came
  uncounted,   ///< a lossy one does
  descriptor,  ///< a process leaves a descriptor open
  file,        ///< a file stays in the domain
};

enum class Work : std::uint8_t {
  publish,
  receive_all,
  receive_lossy,
  receive_newest,
  garble_lossy,     ///< hostile, and not waited for
  garble_gates,     ///< hostile, reliable, and lies only about where it stands
  garble_reliable,  ///< hostile, reliable, comes and goes
};

/// The topics, by what travels on them.
enum class Kind : std::uint8_t { entries, batches, chunks, slices };
inline constexpr std::array<const char*, topic_count> topic_names = {"entries", "batches", "chunks", "slices"};

struct Role {
  Work work;
  Kind kind;
  bool is_spared;  ///< not killed before its round ends
};

inline std::string text_of(const Role& role) {
  constexpr std::array<const char*, 7> works = {"publisher",
                                                "reliable subscriber",
                                                "lossy subscriber",
                                                "newest-only subscriber",
                                                "hostile lossy subscriber",
                                                "subscriber with hostile gates",
                                                "hostile reliable subscriber"};
  return std::string(works[static_cast<std::size_t>(role.work)]) + " of " +
         topic_names[static_cast<std::size_t>(role.kind)];
}

/// What one process is given for its life.
struct Task {
  const tenon::Domain& domain;
  Ledger& ledger;
  Role role;
  Fault fault;
  std::uint64_t seed;

  TopicLedger& topic() const noexcept { return ledger.topic(static_cast<std::size_t>(role.kind)); }
  const char* topic_name() const noexcept { return topic_names[static_cast<std::size_t>(role.kind)]; }
  void complain(const std::string& what) const noexcept { ledger.complain(text_of(role) + ": " + what); }
};

/// In a process of their own; they return its exit code. What is wrong stands in the ledger.
int publish(const Task& task);
int subscribe(const Task& task);
int garble(const Task& task);

}  // namespace soak
