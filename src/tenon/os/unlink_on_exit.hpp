#pragma once
/// Removes a name when a scope ends.
#include <tenon/os/on_exit.hpp>

#include <string>
#include <string_view>

namespace tenon {

/// `UnlinkOnExit guard(Fifo::unlink, path);`
using UnlinkOnExit = OnExit<std::string, std::string_view>;

}  // namespace tenon
