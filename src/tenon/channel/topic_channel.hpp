#pragma once
/// The channel topic:NAME: frames as messages of a topic. The receiver is a reliable subscriber, each sender a
/// publisher of bytes. Either side may start first.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

#include <cstdint>

namespace tenon {

/// Each waits until the other side has come. Outcomes: timed_out, stopped. Failures: also no_space (the domain's tmpfs
/// is full), type_mismatch (others publish there what is no bytes).
Result<Sender> open_topic_sender(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline);
Result<Receiver> open_topic_receiver(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline);

}  // namespace tenon
