#pragma once
/// From nothing to the first message: a topic is made, another process subscribes, and one message goes through.
#include <harness/subject.hpp>

#include <cstddef>
#include <cstdint>

namespace topics {

/// Of messages of `bytes` (40, or 1 MiB), with this depth. An operation ends when the fresh subscriber has told that it
/// has received; that both close is left out.
harness::Subject create_and_send(std::size_t bytes, std::uint32_t depth);

/// Bytes of shared memory that the publisher of it reserves.
std::uint64_t memory_of(std::size_t bytes, std::uint32_t depth);

/// The same two processes, of which one reserves so much of a new file on the same tmpfs and maps it, with all pages in
/// place. The other does nothing. That it is unmapped and freed is left out.
harness::Subject bare_memory(std::uint64_t bytes);

}  // namespace topics
