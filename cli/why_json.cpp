#include <cli/why_json.hpp>

#include <tenon/base/name.hpp>
#include <tenon/inspect/why/words.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace tenon::cli {

namespace {

using nlohmann::json;

json process_json(const inspect::Snapshot& all, pid_t pid) {
  const inspect::Process* process = all.process(pid);
  return process == nullptr ? json(nullptr) : json(escaped(process->command));
}

json object_json(const inspect::Object& object) {
  return {{"kind", inspect::name_of(object.kind)},
          {"name", escaped(object.name)},
          {"id", object.id ? json(*object.id) : json(nullptr)},
          {"state", escaped(object.state)}};
}

json helpers_json(const inspect::Snapshot& all, const inspect::Link& link) {
  json rows = json::array();
  for (const inspect::Rescuer& one : link.helpers) {
    rows.push_back({{"pid", one.pid},
                    {"thread", one.thread == 0 ? json(nullptr) : json(one.thread)},
                    {"process", process_json(all, one.pid)},
                    {"role", inspect::name_of(one.role)},
                    {"dead", one.ended}});
  }
  return rows;
}

json link_json(const inspect::Snapshot& all, const inspect::Link& link, std::int64_t now) {
  const inspect::Wait& wait = all.waits[link.wait];
  json objects = json::array();
  std::ranges::for_each(wait.objects, [&](std::size_t at) { objects.push_back(object_json(all.objects[at])); });
  constexpr double nanoseconds = 1e9;
  return {{"pid", wait.pid},
          {"thread", wait.thread == 0 ? json(nullptr) : json(wait.thread)},
          {"process", process_json(all, wait.pid)},
          {"call", wait.call},
          {"need", inspect::name_of(wait.need)},
          {"seconds", wait.since ? json(static_cast<double>(now - *wait.since) / nanoseconds) : json(nullptr)},
          {"objects", std::move(objects)},
          {"semaphore", wait.semaphore ? json(*wait.semaphore) : json(nullptr)},
          {"has_deadline", wait.gives_up},
          {"elsewhere", wait.elsewhere},
          {"unseen", escaped(wait.unseen)},
          {"helpers", helpers_json(all, link)},
          {"next", link.next ? json(*link.next) : json(nullptr)}};
}

json chain_json(const inspect::Snapshot& all, const inspect::Chain& chain, std::int64_t now) {
  json links = json::array();
  for (const inspect::Link& link : chain.links) {
    links.push_back(link_json(all, link, now));
  }
  const bool circle = chain.ending == inspect::Ending::circle;
  return {{"stuck", inspect::is_stuck(chain.ending)},
          {"verdict", inspect::name_of(chain.plight)},
          {"ending", inspect::name_of(chain.ending)},
          {"last", chain.last == 0 ? json(nullptr) : json(chain.last)},
          {"back_to", circle ? json(chain.back_to) : json(nullptr)},
          {"sentence", escaped(inspect::sentence(all, chain, now))},
          {"remedy", escaped(inspect::remedy(all, chain))},
          {"links", std::move(links)}};
}

}  // namespace

std::string why_json(const inspect::Snapshot& all, const std::vector<inspect::Chain>& chains, std::int64_t now) {
  json rows = json::array();
  for (const inspect::Chain& chain : chains) {
    rows.push_back(chain_json(all, chain, now));
  }
  json unseen = json::array();
  std::ranges::for_each(all.unseen, [&](const std::string& sentence) { unseen.push_back(escaped(sentence)); });
  const auto stuck = std::ranges::count_if(chains, [](const inspect::Chain& one) { return is_stuck(one.ending); });
  const json whole = {{"stuck", stuck}, {"chains", std::move(rows)}, {"unseen", std::move(unseen)}};
  return whole.dump(2) + "\n";
}

}  // namespace tenon::cli
