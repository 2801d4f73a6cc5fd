#include <cli/service_end.hpp>

#include <cli/topic_end.hpp>

namespace tenon::cli {

void add_service(CLI::App& command, ServiceChoice& choice) {
  command.add_option("SERVICE", choice.service, "The service's name")->required();
  command.add_option("--domain", choice.domain, "Instead of TENON_DOMAIN, or your own in /dev/shm")->type_name("DIR");
}

Result<Membership> join(const ServiceChoice& choice) {
  return join(TopicChoice{.topic = {}, .domain = choice.domain, .type = {}});
}

}  // namespace tenon::cli
