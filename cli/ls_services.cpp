/// tenon ls services [--domain DIR] [--interval SECONDS] [--json]
#include <tenon/base/name.hpp>
#include <tenon/inspect/patterns/services.hpp>
#include <tenon/os/token.hpp>

#include <cli/command.hpp>
#include <cli/topic_text.hpp>
#include <cli/two_looks.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace tenon::cli {

namespace {

using inspect::ServiceEnd;
using inspect::Services;
using inspect::ServiceSeen;
using nlohmann::json;

using Looks = TwoLooks<Services>;

// Messages a second that its servers received.
std::optional<double> rate_of(const Looks& looks, const ServiceSeen& service) {
  if (!looks.before) {
    return std::nullopt;
  }
  const auto found = std::ranges::find(looks.before->services, service.name, &ServiceSeen::name);
  const std::uint64_t received = found == looks.before->services.end() ? 0 : found->received();
  return service.received() < received ? 0 : static_cast<double>(service.received() - received) / looks.seconds();
}

// "2: 4711, 4712 (died)"
std::string who_text(const std::vector<ServiceEnd>& all) {
  std::string text = std::to_string(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    text += (i == 0 ? ": " : ", ") + (all[i].pid == 0 ? std::string("?") : std::to_string(all[i].pid)) +
            (all[i].alive ? "" : " (died)");
  }
  return text;
}

Columns rows_of(const Looks& looks) {
  Columns rows({"SERVICE", "TYPE", "SERVERS", "CLIENTS", "WAITING", "RATE", "MEMORY"});
  for (const ServiceSeen& service : looks.now.services) {
    const auto rate = rate_of(looks, service);
    rows.add({escaped(service.name), escaped(service.type), who_text(service.servers), who_text(service.clients),
              std::to_string(service.waiting()), rate ? rate_text(rate) + "/s" : "-", bytes_text(service.memory())});
  }
  return rows;
}

json json_of(const std::vector<ServiceEnd>& ends) {
  json all = json::array();
  for (const ServiceEnd& end : ends) {
    all.push_back({{"token", Token::from(end.token).hex()},
                   {"pid", end.pid == 0 ? json(nullptr) : json(end.pid)},
                   {"alive", end.alive},
                   {"waiting", end.waiting},
                   {"received", end.received},
                   {"peers", end.peers},
                   {"sleeps_for", end.waits_for ? json(static_cast<double>(*end.waits_for) / 1e9) : json(nullptr)},
                   {"memory", end.memory}});
  }
  return all;
}

json json_of(const Looks& looks) {
  json all = json::array();
  for (const ServiceSeen& service : looks.now.services) {
    const auto rate = rate_of(looks, service);
    all.push_back({{"name", escaped(service.name)},
                   {"type", escaped(service.type)},
                   {"waiting", service.waiting()},
                   {"rate", rate ? json(*rate) : json(nullptr)},
                   {"memory", service.memory()},
                   {"servers", json_of(service.servers)},
                   {"clients", json_of(service.clients)}});
  }
  return all;
}

Result<void> list(const LooksOptions& options) {
  return look_twice(&inspect::services, &Services::services, options).and_then([&](const Looks& looks) {
    return options.json ? print_json(looks, options.domain, "services", json_of(looks))
                        : print_rows(looks, rows_of(looks));
  });
}

}  // namespace

void add_ls_services(CLI::App& ls, int& code) {
  add_looks(ls, code, "services", "List the services of a domain, who serves and who calls", &list);
}

}  // namespace tenon::cli
