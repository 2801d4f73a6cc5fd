#pragma once
/// A broken contract is a bug in the caller: it ends the process with a sentence, never with an error value.
#include <source_location>

namespace tenon {

/// Prints "file:line: broken contract: SENTENCE" on standard error and aborts.
[[noreturn]] void broken_contract(const char* sentence,
                                  std::source_location where = std::source_location::current()) noexcept;

/// States what the caller owes. Checked in every build: a handle used after it was moved from must not
/// reach the kernel as descriptor -1.
constexpr void expects(bool holds, const char* sentence,
                       std::source_location where = std::source_location::current()) noexcept {
  if (!holds) [[unlikely]] {
    broken_contract(sentence, where);
  }
}

}  // namespace tenon
