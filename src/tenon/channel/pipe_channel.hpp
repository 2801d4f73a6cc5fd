#pragma once
/// The channel pipe:FD, over an inherited end of a pipe: `tenon send pipe:1 FILE | tenon recv pipe:0`.
///
/// The channel takes the descriptor over: it is closed with the channel. Where it is 0, 1 or 2, /dev/null takes its
/// place, so that what is opened next does not become anybody's standard output.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

namespace tenon {

Result<Sender> open_pipe_sender(const std::string& number, std::shared_ptr<const Domain> domain, Deadline deadline);
Result<Receiver> open_pipe_receiver(const std::string& number, std::shared_ptr<const Domain> domain, Deadline deadline);

}  // namespace tenon
