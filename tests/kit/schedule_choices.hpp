#pragma once
/// The decisions that make up a schedule: all of them in turn, at random, or as written down.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace kit {

/// Option 0 is what an undisturbed run would do. Any other costs: a preemption, or a stale read. Trying all runs that
/// cost at most a few of each finds most faults (Musuvathi and Qadeer, "Iterative context bounding", PLDI 2007).
class Choices {
 public:
  enum class Kind : std::uint8_t { preemption, stale, free };
  struct Budget {
    std::size_t preemptions;
    std::size_t stale_reads;
  };

  static Choices exhaustive(Budget budget) { return Choices(budget); }
  static Choices random(std::uint64_t seed);
  /// From text(). Nothing if it is not such a text.
  static std::optional<Choices> replay(const std::string& text);

  /// Less than `options`.
  std::size_t choose(std::size_t options, Kind kind);

  /// Goes on to the next schedule. False if all were tried.
  bool next();
  /// The schedule of the run so far: "2/2:0*12,1", the budget, then the options taken.
  std::string text() const;

 private:
  explicit Choices(Budget budget) : budget_(budget), left_(budget) {}
  std::size_t* left_of(Kind kind) noexcept;

  struct Step {
    std::size_t taken;
    std::size_t options;
  };
  Budget budget_;
  Budget left_;
  std::vector<Step> steps_;
  std::size_t at_ = 0;
  std::optional<std::mt19937_64> random_;
};

}  // namespace kit
