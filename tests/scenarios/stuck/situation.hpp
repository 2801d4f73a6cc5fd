#pragma once
/// The matrix: what is staged, and what `tenon why` must say of it.
#include "room.hpp"

#include <ostream>
#include <span>
#include <string>
#include <vector>

namespace stuck {

struct Told {
  pid_t ask;                       ///< about whom
  std::vector<std::string> words;  ///< all of them stand in the answer: objects, owners, the remedy
};

/// A staged situation in which somebody is stuck.
struct Situation {
  const char* name;
  Told (*stage)(Room&);
};
std::span<const Situation> stuck_alone();  ///< full, empty, dead, stopped: no circle
std::span<const Situation> stuck_at_locks();
std::span<const Situation> stuck_in_circles();
std::span<const Situation> stuck_beside_others();

inline void PrintTo(const Situation& situation, std::ostream* out) { *out << situation.name; }

/// One that looks alike, and is sound: nobody may be accused.
struct LookAlike {
  const char* name;
  void (*stage)(Room&);
};
inline void PrintTo(const LookAlike& one, std::ostream* out) { *out << one.name; }
std::span<const LookAlike> look_alikes();
std::span<const LookAlike> look_alikes_at_locks();
std::span<const LookAlike> look_alikes_at_names();

}  // namespace stuck
