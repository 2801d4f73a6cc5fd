#pragma once
/// iceoryx's daemon, for all peers that go through its memory. There is one of them on a machine.
#include <memory>
#include <string>

namespace peers {

/// Runs as long as what is returned, of which all hold the same one.
std::shared_ptr<void> roudi();

/// What the sides of a peer are called that join its runtime by a name of their own.
inline constexpr const char* first_client = "tenon-bench-first";
inline constexpr const char* second_client = "tenon-bench-second";

}  // namespace peers
