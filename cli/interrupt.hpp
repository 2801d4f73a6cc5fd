#pragma once
/// Ctrl-C and its like, as a Stop that every wait of a command carries.
#include <tenon/base/result.hpp>
#include <tenon/os/stop.hpp>

#include <string>
#include <string_view>

namespace tenon::cli {

/// Set by the first SIGINT, SIGTERM or SIGHUP; the same one a second time ends the program the hard way. One that was
/// ignored when the program started stays ignored. The first call installs the handlers. Throws Failure if there is no
/// descriptor for it.
const Stop& interrupt();

/// The deadline of one step: `seconds` from now, or never if that is 0; ended early by the interrupt.
Deadline step_deadline(double seconds);

/// What became of a step at a channel. If its time was over, `missing` is what it waited for in vain: people know the
/// channel, and not the call that slept.
Error step_failure(Error error, const std::string& uri, std::string_view missing, double seconds);

}  // namespace tenon::cli
