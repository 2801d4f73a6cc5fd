#pragma once
/// The lines of the benchmark of queues: a message of 64 bytes there and back, spinning and asleep, and many processes
/// at once, each beside the kernel's queue and Boost's.
#include <queue/ends.hpp>
#include <topic/row.hpp>

#include <vector>

namespace queues {

enum class Beside : unsigned char { kernel, boost };

topics::Row there_and_back(Beside beside);
topics::Row there_and_back_asleep(Beside beside, limits::Where where, Wait wait);
/// So many processes send, and as many receive, taking turns on all cores.
topics::Row many_to_many(Beside beside, std::size_t each);

/// All of them, in the order in which they are printed.
std::vector<topics::Row> all_rows();

}  // namespace queues
