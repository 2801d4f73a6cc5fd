#include <tenon/base/lock_hooks.hpp>

namespace tenon {

constinit std::atomic<const LockHooks*> LockHooks::installed_ = nullptr;

}  // namespace tenon
