/// Services as objects of a snapshot. inspect/patterns/services.hpp
///
/// Clients send to it and servers receive from it; that servers answer is what a client's wait is about.
#include <tenon/inspect/patterns/domain_scene.hpp>
#include <tenon/inspect/patterns/services.hpp>
#include <tenon/messaging/service/service_layout.hpp>

#include <algorithm>

namespace tenon::inspect {

namespace {

std::uint64_t living(const std::vector<ServiceEnd>& ends) {
  return static_cast<std::uint64_t>(std::ranges::count_if(ends, &ServiceEnd::alive));
}

Object service_object(const DomainScene& scene, const ServiceSeen& service) {
  Object object = scene.object(Kind::service, service.name, std::string(service_directory_prefix) + service.name);
  object.figures = {{.name = "servers", .value = living(service.servers)},
                    {.name = "clients", .value = living(service.clients)},
                    {.name = "requests", .value = service.waiting()},
                    {.name = "received", .value = service.received()},
                    {.name = "bytes", .value = service.memory()}};
  return object;
}

void add_end(DomainScene& scene, std::size_t place, const ServiceEnd& end, Relation relation, std::int64_t at,
             Snapshot& into) {
  scene.add_edge(into, place, {.life = end.life, .relation = relation, .alive = end.alive, .messages = end.waiting});
  if (end.waits_for && end.alive) {
    const char* const call = relation == Relation::sends_to ? "call" : "receive";
    scene.add_wait(into, place, end.life, call, Need::message, at - *end.waits_for);
  }
}

}  // namespace

void read_services(DomainScene& scene, Snapshot& into) {
  const auto all = services(scene.path());
  if (!all) {
    scene.add_failure(into, all.error());
    return;
  }
  for (const ServiceSeen& service : all->services) {
    into.objects.push_back(service_object(scene, service));
    const std::size_t place = into.objects.size() - 1;
    for (const ServiceEnd& end : service.clients) {
      add_end(scene, place, end, Relation::sends_to, all->at, into);
    }
    for (const ServiceEnd& end : service.servers) {
      add_end(scene, place, end, Relation::receives_from, all->at, into);
    }
  }
  scene.add_unseen(into, all->unseen);
}

}  // namespace tenon::inspect
