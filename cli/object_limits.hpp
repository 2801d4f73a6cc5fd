#pragma once
/// Which limits of this machine bound an object, and what they are. sysctl(8)
#include <tenon/inspect/kind.hpp>
#include <tenon/inspect/settings/setting.hpp>

#include <vector>

namespace tenon::cli {

/// In the order of `tenon doctor`.
std::vector<inspect::Setting> limits_of(inspect::Kind kind);

}  // namespace tenon::cli
