#pragma once
/// Descriptors that come along with a message although nobody expects any. unix(7), SCM_RIGHTS
#include <tenon/os/fd.hpp>

#include <cstddef>

namespace kit {

/// Sends a message of that many bytes, at most one, and three times `sent` along with it.
void send_with_descriptors(tenon::FdView socket, std::size_t bytes, tenon::FdView sent = tenon::FdView(0));

}  // namespace kit
