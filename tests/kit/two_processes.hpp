#pragma once
/// A test with several real processes that take steps in an agreed order.
///
///     kit::run_sides({{"writer", [&](kit::Stage& stage) { …; stage.signal("written"); }},
///                     {"reader", [&](kit::Stage& stage) { stage.await("written"); … }}});
///
/// Expectations that fail in a side fail the test. A side that fails or dies ends the others' waits at once; one that
/// hangs is ended by its watchdog, and the test says at which step each of them stood.
#include <kit/patience.hpp>
#include <kit/reported_child.hpp>
#include <tenon/os/mapping.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

/// What the sides share: events by name and a barrier. All calls may be made in any side and in the parent, except
/// that only the sides meet at barrier().
class Stage {
 public:
  explicit Stage(std::size_t sides);

  /// Says that something has happened; may be said more than once.
  void signal(std::string_view event);
  /// Waits until it has been said `times` times in all. Throws when a side has failed meanwhile.
  void await(std::string_view event, std::uint32_t times = 1);
  /// Waits until all sides are here. Throws when a side has failed meanwhile.
  void barrier();

 private:
  friend class Sides;
  struct Board;
  Board& board() const noexcept;
  void change() noexcept;
  template <class Condition>
  void wait_until(const std::string& step, Condition condition);

  tenon::Mapping memory_;
  std::size_t side_ = 0;  // this process's own place on the board; the parent's is behind those of the sides
};

struct Side {
  std::string name;
  std::function<void(Stage&)> body;
};

/// Running sides.
class Sides {
 public:
  /// Starts them all. Each has `limit`, stretched by slowness(), from here to its end.
  explicit Sides(std::vector<Side> sides, Duration limit = default_limit);
  /// finish()
  ~Sides();
  Sides(const Sides&) = delete;
  Sides& operator=(const Sides&) = delete;

  Stage& stage() noexcept { return stage_; }
  ReportedChild& side(std::string_view name);
  /// Waits for the end of all, and brings their failures into this test.
  void finish();

 private:
  void finish_side(std::size_t index);
  void run_side(const Side& side, std::size_t index);

  Duration limit_;
  tenon::Deadline deadline_;
  Stage stage_;
  std::vector<ReportedChild> children_;
};

/// Sides from start to end.
void run_sides(std::vector<Side> sides, Duration limit = default_limit);

/// One of two sides that meet. It says `here()` as soon as the other may come.
using Meeting = std::function<void(const std::function<void()>& here)>;

/// Two sides that meet, twice: each is the first once, and the other begins when that one has said that it is there.
void run_in_either_order(const Meeting& one, const Meeting& other);

}  // namespace kit
