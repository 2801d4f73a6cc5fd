#pragma once
/// The lines of the benchmark of queues: a message there and back, spinning and asleep, and many processes
/// at once, each beside the kernel's queue and Boost's.
#include <queue/ends.hpp>
#include <topic/row.hpp>

#include <vector>

namespace queues {

enum class Beside : unsigned char { kernel, boost };

topics::Row there_and_back(const Traffic& traffic, Beside beside);
topics::Row there_and_back_asleep(const Traffic& traffic, Beside beside, limits::Where where);
/// So many processes send, and as many receive, taking turns on all cores.
topics::Row many_to_many(const Traffic& traffic, Beside beside, std::size_t each);

/// All of them for each size, in the order in which they are printed; those beside Boost's where it was there when this
/// was built.
std::vector<topics::Row> rows_of(const std::vector<std::size_t>& sizes);

}  // namespace queues
