#pragma once
/// The limits and settings of this machine that decide what communication between processes can do here. sysctl(8)
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::inspect {

enum class Verdict : std::uint8_t {
  ok,
  note,     ///< works, with less than is usual, or with a trap in it
  problem,  ///< something of Tenon does not work here until it is changed
};
/// "ok", "note", "problem"
std::string_view name_of(Verdict verdict) noexcept;

struct Setting {
  std::string name;   ///< "fs.mqueue.msg_max", "RLIMIT_NOFILE", "/dev/shm"
  std::string value;  ///< "10 messages"
  Verdict verdict;
  std::string meaning;  ///< a sentence: what the value does here
  std::string remedy;   ///< how to change it, a command or a file; "" where nobody can
};

/// All of them, each once, in the order of the mechanisms.
std::vector<Setting> settings();

}  // namespace tenon::inspect
