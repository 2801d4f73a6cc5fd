#pragma once
/// A healthy system that is busy with everything: whoever looks at it must accuse nobody.
#include "room.hpp"

#include <string>
#include <vector>

namespace stuck {

/// Starts pairs that hand each other bytes, messages, datagrams, locks, signals and posts, as fast as they can.
void fill_with_busy_pairs(Room& room);

/// Looks that often; the sentences that accuse somebody of the room.
std::vector<std::string> accusations(const Room& room, int looks);

}  // namespace stuck
