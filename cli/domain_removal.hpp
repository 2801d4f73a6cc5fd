#pragma once
/// Taking away what the dead have left in a domain. The library does the same for whoever comes next by the same name;
/// here somebody comes by all names.
#include <tenon/inspect/leftovers/domain_leftovers.hpp>

#include <string>

namespace tenon::cli {

/// Takes away what nobody who lives takes part in, and of the rest what only the dead have left: each is judged once
/// more, under the lock under which its users come and go. It joins the domain for the moment where it must. Queues and
/// blackboards stay. Then its files are looked at again. Outcomes: not_found (somebody else was quicker), stale (it is
/// in use again). Failures: permission_denied, would_block (they are still there), corrupt.
Result<void> remove_left_over(const std::string& domain, const inspect::DomainLeftover& part);

/// Takes a whole part away by its name, queues and blackboards too, after a last look. Outcomes and failures: as
/// above.
Result<void> remove_part(const std::string& domain, const inspect::DomainLeftover& part);

}  // namespace tenon::cli
