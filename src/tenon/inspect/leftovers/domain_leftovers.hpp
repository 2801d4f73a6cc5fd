#pragma once
/// What the dead have left in a domain. Whoever takes part there has a life file, whose lock the kernel drops at death
/// (os/life_layout.hpp): so here the proof is always the same, and no other is taken.
///
/// Queues and blackboards stay until they are removed, whoever has died. They are told as `unjudged` where nobody has
/// them open. A topic, a service and a stream go with the last who takes part; a channel, with its kernel object, too.
#include <tenon/base/result.hpp>
#include <tenon/inspect/leftovers/leftover_verdict.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

enum class DomainPart : std::uint8_t { life, channel, topic, service, stream, queue, board };
/// "life", "channel", …
std::string_view name_of(DomainPart part) noexcept;

struct DomainLeftover {
  DomainPart part;
  std::string name;                ///< "pose", of a channel its URI, of a life its file's
  std::vector<std::string> files;  ///< in the domain: files or directories
  Judgement judgement;             ///< never in_use
  std::vector<pid_t> living;       ///< who takes part in it still
};

struct DomainLeftovers {
  std::vector<DomainLeftover> all;  ///< by part and name
  std::vector<std::string> unseen;  ///< sentences
};

/// Of the domain in that directory, which is not made. Outcomes: not_found (there is no such directory). Failures:
/// permission_denied, wrong_kind, limit_reached.
Result<DomainLeftovers> domain_leftovers(const std::string& domain);

/// Everything of that part and name, in use or not: its judgement says which. Outcomes: not_found. Failures: as above.
Result<DomainLeftover> domain_part(const std::string& domain, DomainPart part, std::string_view name);

}  // namespace tenon::inspect
