#pragma once
/// The processes of one subject, pinned, doing block after block when told to, and asleep in between.
///
/// Between blocks they sleep in read(2) with no time limit, so a second team on the same processors is not disturbed.
/// They die with this process, however it dies. A side that throws, dies or does not come back ends the run with an
/// error that names it; the others are killed then.
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <harness/processors.hpp>
#include <harness/subject.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace harness {

/// What all sides of a team together cost the kernel in one block. getrusage(2)
struct Counts {
  std::uint64_t voluntary_switches = 0;    ///< they slept
  std::uint64_t involuntary_switches = 0;  ///< they were taken off their processor
  double processor_nanoseconds = 0;        ///< that they used, without what the timed side left out
  /// Nothing where the kernel lets nobody count: SystemCalls::count_own() says why.
  std::optional<std::uint64_t> system_calls;
};

struct Block {
  std::uint64_t operations = 0;
  double nanoseconds = 0;  ///< of the whole block, without what the timed side left out
  Counts counts;
  std::vector<double> samples;  ///< nanoseconds of single operations, when asked for

  double per_operation() const noexcept { return nanoseconds / static_cast<double>(operations); }
  /// Somebody else had one of its processors meanwhile.
  bool preempted() const noexcept { return counts.involuntary_switches > 0; }
};

enum class Observe : unsigned char {
  time_alone,  ///< nothing stands between the operations
  everything,  ///< samples and system calls as well, which cost time themselves
};

class Team {
 public:
  static constexpr std::size_t max_sides = 63;  // poll(2) looks at all of them and at one descriptor more
  static constexpr std::size_t max_samples = 1 << 16;

  /// Forks and pins the sides; returns when all of them have made their loops. Outcomes: timed_out. Failures: those
  /// of spawn() and of mapping; aborted, with the text that a side threw; peer_died.
  static tenon::Result<Team> start(const Subject& subject, const Placement& placement, const Clock& clock,
                                   tenon::Deadline deadline);

  /// Warms up with `warm_up` operations, then does and times `operations`. Outcomes: timed_out, which names the sides
  /// that did not come back. Failures: as of start(). After one the team is dead.
  tenon::Result<Block> run(std::uint64_t operations, std::uint64_t warm_up, Observe observe, tenon::Deadline deadline);

  const std::string& name() const noexcept { return name_; }
  /// That it was ever asked for, warm-ups included.
  std::uint64_t operations() const noexcept { return operations_; }
  bool exclusive() const noexcept { return exclusive_; }

  Team(Team&&) noexcept = default;
  Team& operator=(Team&&) noexcept = delete;
  ~Team();

 private:
  struct Board;
  Team(std::string name, bool exclusive, const Clock& clock, tenon::Mapping memory, tenon::Fd go, tenon::Fd done);

  Board& board() const noexcept;
  double* samples() const noexcept;
  int be_member(const Subject& subject, const Placement& placement, std::size_t index) const;
  void do_block(std::size_t side, Loop& loop) const;
  void meet() const;
  tenon::Result<void> await_all(tenon::Deadline deadline);
  tenon::Error who_is_missing(tenon::Error error) const;
  tenon::Error why_it_ended(std::size_t side);
  Block collect() const;
  void end_all() noexcept;

  std::unique_ptr<std::function<void()>> finish_;  // so that a team that was moved from has none
  std::string name_;
  Clock clock_;
  tenon::Mapping memory_;
  tenon::Fd go_;    // eventfd: as many permits as sides start a block
  tenon::Fd done_;  // eventfd: each side adds one when it has finished
  std::vector<tenon::Child> children_;
  std::vector<std::string> sides_;
  std::uint64_t operations_ = 0;
  std::uint64_t expected_ = 1;  // how often each side should have finished by now
  bool exclusive_;
};

}  // namespace harness
