#pragma once
/// What `tenon call` and `tenon serve` have in common: a service of bytes, in a domain.
#include <tenon/messaging/service/service.hpp>
#include <tenon/sync/membership.hpp>

#include <CLI/CLI.hpp>

#include <string>

namespace tenon::cli {

using ByteClient = Client<Bytes, Bytes>;
using ByteServer = Server<Bytes, Bytes>;
using ByteCall = ServedCall<Bytes, Bytes>;

struct ServiceChoice {
  std::string service;
  std::string domain = Domain::path_of_environment();
};

void add_service(CLI::App& command, ServiceChoice& choice);

/// A member of that domain, which is made if it is not there. Failures: permission_denied, no_space, limit_reached.
Result<Membership> join(const ServiceChoice& choice);

}  // namespace tenon::cli
