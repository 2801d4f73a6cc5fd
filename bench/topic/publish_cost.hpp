#pragma once
/// What publishing costs the publisher alone, by how many have subscribed.
#include <harness/subject.hpp>

#include <cstddef>

namespace topics {

/// To so many lossy subscribers, none of which ever looks: one process.
harness::Subject publish_to_idle(std::size_t subscribers);

/// To so many reliable ones that keep up. A second process holds them; it drains all of them while the publisher waits,
/// which is left out, between two runs of messages that are timed. So the publisher pays for their cursors, which
/// another processor has written, and for lines that another has read, and never for being too fast.
harness::Subject publish_to_reliable(std::size_t subscribers);

}  // namespace topics
