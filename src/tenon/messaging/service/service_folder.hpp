#pragma once
/// A service's directory: who serves and who calls, as the names of their inboxes say. service_layout.hpp
///
/// It is there while an inbox stands in it. Each inbox goes with the last endpoint in it, as a topic's directory does;
/// what the killed have left there is taken away by whoever looks for the others next.
///
/// Threads: one at a time.
#include <tenon/messaging/topic/topic_census.hpp>
#include <tenon/messaging/topic/topic_folder.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

enum class ServiceRole : std::uint8_t { server, client };

/// An end of a service, as its inbox is named.
struct ServiceMember {
  ServiceRole role;
  Token token;
  Token life;

  std::string text() const;
  /// Nothing for the names of other files.
  static std::optional<ServiceMember> parse(std::string_view text);
  /// Its own subscription in its inbox.
  EndpointName inbox() const noexcept { return {.kind = EndpointKind::subscriber, .token = token, .life = life}; }
  friend bool operator==(const ServiceMember&, const ServiceMember&) = default;
};

class ServiceFolder {
 public:
  /// Opens it, or makes it. Failures: invalid_name, permission_denied, no_space, limit_reached, in_child.
  static Result<ServiceFolder> open(const Holder& holder, std::string_view service);

  /// Everybody who has an inbox, whole or being made.
  Result<std::vector<ServiceMember>> members() const;
  /// Whether inboxes may have come or gone since the last call. One or two system calls.
  bool has_changed() noexcept;

  /// Makes one's own inbox. Until admit() it may be removed by who leaves. Failures: those of TopicFolder::enter.
  Result<TopicFolder> make(const ServiceMember& member) const;
  /// Opens another's inbox, whose end subscribes in it. Outcomes: not_found (it does not, or not any more). Failures:
  /// those of TopicFolder::enter.
  Result<TopicFolder> enter(const ServiceMember& member) const;
  /// Whether its end subscribes in it.
  bool is_open(const ServiceMember& member) const noexcept;

  /// Takes away what those have left who are gone.
  void sweep(TopicCensus& census) const;
  /// Takes away the directory if no inbox is left in it.
  void remove_if_empty() const noexcept;

  const std::string& service() const noexcept { return service_; }

 private:
  ServiceFolder(const Holder& holder, Domain directory, std::string service)
      : holder_(holder), directory_(std::move(directory)), service_(std::move(service)) {}
  static Result<Domain> open_directory(const Holder& holder, const std::string& path);
  Result<std::vector<std::string>> names() const;

  Holder holder_;
  Domain directory_;
  std::string service_;
  std::int64_t seen_time_ = -1;
};

}  // namespace tenon
