#pragma once
/// What members of a domain do in the tests of `tenon gc`.
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/blackboard/blackboard.hpp>
#include <tenon/messaging/queue/queue.hpp>
#include <tenon/messaging/service/service.hpp>
#include <tenon/messaging/stream/stream.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/life.hpp>

#include <cstdint>
#include <string>

namespace tools {

struct Word {
  std::uint64_t number;
};
TENON_FIELDS(Word, number);

/// Two processes join a stream of that name, and are killed in it.
void kill_in_a_stream(const tenon::Domain& domain, const std::string& name);

}  // namespace tools
