#pragma once
/// What people are told on standard error, whatever has become of it.
#include <string>
#include <string_view>

namespace tenon::cli {

/// Writes to standard error and drops what goes wrong there: a program whose standard error is closed or full still
/// ends with the exit code that its outcome has.
void say(std::string_view text) noexcept;

/// On one line, with what would upset a terminal escaped; its own quotation marks stay as they are.
std::string on_one_line(std::string_view message);

}  // namespace tenon::cli
