#pragma once
/// What this machine can do at best for a cell: the limits (bench/limits) of which the best one stands beside its row.
#include <cells/cell.hpp>
#include <limits/limit.hpp>

#include <vector>

namespace cells {

/// One at least. There and back: two bare futexes where both ends sleep or share a processor; else a bounced line, and
/// from 64 bytes on the best pool of chunks of that size. One way and to or from many: the best bare ring or pool, for
/// each message that arrives. A first message: a bare pipe that is made, written to and read from. Behind others: the
/// best bare ring for an ordinary message, as often as messages are read; a bounced line for an urgent one.
std::vector<limits::Limit> limits_of(const Cell& cell, limits::Extent extent);

/// What one operation of the cell moves, in operations of its limit.
double messages_of(const Cell& cell);

}  // namespace cells
