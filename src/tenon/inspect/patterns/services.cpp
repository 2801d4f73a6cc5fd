#include <tenon/inspect/patterns/services.hpp>

#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/inspect/patterns/lives.hpp>
#include <tenon/inspect/patterns/topics.hpp>
#include <tenon/messaging/service/service_layout.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/system_call.hpp>
#include <tenon/os/token.hpp>

#include <algorithm>
#include <fcntl.h>
#include <numeric>
#include <string_view>

namespace tenon::inspect {

namespace {

constexpr std::size_t token_digits = 16;
constexpr std::string_view of_server = "server.";
constexpr std::string_view of_client = "client.";

struct InboxName {
  bool is_server;
  Token token;
  Token life;
};

// "server.TOKEN.LIFE"; nothing for other names.
std::optional<InboxName> parse(std::string_view name) {
  const bool is_server = name.starts_with(of_server);
  if ((!is_server && !name.starts_with(of_client)) || name.size() != of_server.size() + 2 * token_digits + 1 ||
      name[of_server.size() + token_digits] != '.') {
    return std::nullopt;
  }
  const auto token = Token::parse(name.substr(of_server.size(), token_digits));
  const auto life = Token::parse(name.substr(of_server.size() + token_digits + 1));
  return token && life ? std::optional(InboxName{.is_server = is_server, .token = *token, .life = *life})
                       : std::nullopt;
}

/// What is read of one service.
class ServiceReader {
 public:
  ServiceReader(Lives& lives, Services& into) : lives_(lives), into_(into) {}

  void read_or_miss(FdView domain, const std::string& directory_name) {
    const auto directory = fd_from(uninterrupted([&] {
                                     return ::openat(domain.raw(), directory_name.c_str(),
                                                     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                                   }),
                                   "open");
    const auto names = directory ? names_in(directory->view(), "") : fail(Error(directory.error()));
    if (!names) {
      miss(directory_name, names.error());
      return;
    }
    service_ = {
        .name = directory_name.substr(service_directory_prefix.size()), .type = {}, .servers = {}, .clients = {}};
    for (const std::string& name : *names) {
      if (const auto inbox = parse(name)) {
        read_inbox(directory->view(), name, *inbox);
      }
    }
    if (!service_.servers.empty() || !service_.clients.empty()) {
      into_.services.push_back(std::move(service_));
    }
  }

 private:
  // What went away meanwhile is no news.
  void miss(const std::string& what, const Error& error) {
    if (!(error == Errc::not_found)) {
      into_.unseen.push_back(what + ": " + error.message());
    }
  }
  void read_inbox(FdView service, const std::string& name, const InboxName& inbox) {
    const auto seen = endpoints_in(service, name, lives_);
    if (!seen) {
      miss(service_.name + "/" + name, seen.error());
      return;
    }
    for (const std::string& sentence : seen->unseen) {
      into_.unseen.push_back(service_.name + "/" + sentence);
    }
    ServiceEnd end{.token = inbox.token.value(),
                   .life = inbox.life.value(),
                   .pid = lives_.pid_of(inbox.life).value_or(0),
                   .alive = !lives_.is_gone(inbox.life),
                   .waiting = 0,
                   .received = 0,
                   .peers = 0,
                   .waits_for = std::nullopt,
                   .memory = 0};
    for (const Topic& topic : seen->topics) {
      add(end, topic);
    }
    (inbox.is_server ? service_.servers : service_.clients).push_back(end);
  }
  // Its own subscription, and the publishers of those who write to it.
  void add(ServiceEnd& end, const Topic& topic) {
    const auto own = std::ranges::find(topic.subscribers, end.token, &TopicSubscriber::token);
    if (own != topic.subscribers.end()) {
      service_.type = service_.type.empty() ? own->type : service_.type;
      end.waits_for = own->waits_for;
      for (const TopicStanding& standing : own->standings) {
        end.waiting += standing.lag;
        end.received += standing.received;
      }
    }
    const auto lives = [](const TopicPublisher& one) { return one.standing == EndpointStanding::alive; };
    end.peers = static_cast<std::uint32_t>(std::ranges::count_if(topic.publishers, lives));
    end.memory = topic.memory();
  }

  Lives& lives_;
  Services& into_;
  ServiceSeen service_;
};

}  // namespace

std::uint64_t ServiceSeen::waiting() const noexcept {
  return std::accumulate(servers.begin(), servers.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const ServiceEnd& one) { return sum + (one.alive ? one.waiting : 0); });
}

std::uint64_t ServiceSeen::received() const noexcept {
  return std::accumulate(servers.begin(), servers.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const ServiceEnd& one) { return sum + one.received; });
}

std::uint64_t ServiceSeen::memory() const noexcept {
  const auto add = [](std::uint64_t sum, const ServiceEnd& one) { return sum + one.memory; };
  return std::accumulate(clients.begin(), clients.end(),
                         std::accumulate(servers.begin(), servers.end(), std::uint64_t{0}, add), add);
}

Result<Services> services(const std::string& domain) {
  const auto directory = open_domain_directory(domain);
  auto names = directory ? names_in(directory->view(), service_directory_prefix) : fail(Error(directory.error()));
  if (!names) {
    return fail(std::move(names.error()));
  }
  Services all{.services = {}, .unseen = {}, .at = monotonic_now()};
  Lives lives(directory->view());
  ServiceReader reader(lives, all);
  for (const std::string& name : *names) {
    reader.read_or_miss(directory->view(), name);
  }
  return all;
}

}  // namespace tenon::inspect
