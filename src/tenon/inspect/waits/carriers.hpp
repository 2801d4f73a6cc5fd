#pragma once
/// Descriptors that were sent and not received: nobody has them open, and yet they keep a pipe from ending. unix(7)
#include <tenon/inspect/snapshot.hpp>

#include <vector>

namespace tenon::inspect {

/// Where one of `waits` is for a pipe or a socket of whose other end no holder is seen: adds to each socket in which
/// descriptors lie the figure "descriptors_in_flight". Kernels before 5.6 do not tell.
void add_carriers(Snapshot& into, const std::vector<Wait>& waits);

}  // namespace tenon::inspect
