#pragma once
/// What is measured, in one table: a mechanism, a pattern, a size, and how both ends wait. Each mechanism is one small
/// file, and says for each cell how its processes do that work, or that it cannot.
///
/// The work is the same for all of them (payload.hpp): who sends writes every word of the payload, who receives reads
/// every word and checks it.
#include <tenon/base/result.hpp>
#include <harness/processors.hpp>
#include <harness/subject.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cells {

enum class Pattern : unsigned char {
  round_trip,     ///< one message there, one back
  one_way,        ///< one sender, one receiver, as fast as they can
  fan_out,        ///< each message goes to all of `peers` receivers
  fan_in,         ///< `peers` senders, one receiver
  first_message,  ///< from nothing to the first message received, by one process; what ends it is left out
  queued,         ///< a message behind `peers` others: from its sending until it has been read
  backlog,        ///< the same of an urgent one, which overtakes them where the mechanism knows that
};

enum class Wait : unsigned char {
  spin,      ///< asks again and again and never sleeps
  adaptive,  ///< asks for a while, then sleeps in the call that waits
  sleep,     ///< sleeps in the call that waits, at once
  poll,      ///< sleeps in poll(2), then asks: for what has a descriptor
};

enum class Place : unsigned char { one_core, near, far };

/// As the command line has them: "roundtrip", "spin", "one core".
std::string_view name_of(Pattern pattern) noexcept;
std::string_view name_of(Wait wait) noexcept;
std::string_view name_of(Place place) noexcept;

struct Cell {
  Pattern pattern = Pattern::round_trip;
  std::size_t bytes = 64;  ///< of a message, whole words
  Wait wait = Wait::spin;
  Place place = Place::near;
  std::size_t peers = 1;  ///< receivers of a fan-out, senders of a fan-in, messages before an urgent one
  std::size_t depth = 0;  ///< messages that may be under way; 0 is what the mechanism has by itself

  bool sleeps() const noexcept { return wait == Wait::sleep || wait == Wait::poll; }
  bool is_fan() const noexcept { return pattern == Pattern::fan_out || pattern == Pattern::fan_in; }
  bool has_backlog() const noexcept { return pattern == Pattern::queued || pattern == Pattern::backlog; }
  /// Messages that must have room at once: `depth` if it is given, else what the pattern takes, `usual` at least.
  std::size_t room(std::size_t usual) const noexcept {
    return depth > 0 ? depth : has_backlog() ? std::max(usual, peers + 1) : usual;
  }
  /// Messages that one operation delivers.
  double deliveries() const noexcept { return is_fan() ? static_cast<double>(peers) : 1; }
};

struct Mechanism {
  std::string name;    ///< "posix_queue", as its folder
  std::string family;  ///< "kernel", "shared memory" or "Tenon"
  std::string about;   ///< in one line
  /// Outcomes: not_supported, where it cannot do that at all; limit_reached, where this user may not have so much.
  std::function<tenon::Result<harness::Subject>(const Cell&)> subject;
  /// Bytes that the kernel or shared memory holds for a line of this cell; nothing where that is not to be told.
  std::function<std::optional<std::size_t>(const Cell&)> memory = {};
};

/// All of them, in the order in which they are printed.
const std::vector<Mechanism>& all_mechanisms();

}  // namespace cells
