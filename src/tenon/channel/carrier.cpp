#include <tenon/channel/carrier.hpp>

#include <tenon/channel/scheme.hpp>

namespace tenon {

Result<void> FrameSource::accept_only(uid_t) { return fail(not_vouched()); }

}  // namespace tenon
