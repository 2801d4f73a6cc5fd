/// tenon ls queues [--domain DIR] [--interval SECONDS] [--json]
#include <tenon/base/name.hpp>
#include <tenon/inspect/patterns/queues.hpp>
#include <tenon/os/token.hpp>

#include <cli/command.hpp>
#include <cli/object_text.hpp>
#include <cli/topic_text.hpp>
#include <cli/two_looks.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace tenon::cli {

namespace {

using inspect::QueueMemberSeen;
using inspect::Queues;
using inspect::QueueSeen;
using nlohmann::json;

using Looks = TwoLooks<Queues>;

// Messages a second.
std::optional<double> rate_of(const Looks& looks, const QueueSeen& queue) {
  if (!looks.before) {
    return std::nullopt;
  }
  const auto found = std::ranges::find(looks.before->queues, queue.name, &QueueSeen::name);
  const std::uint64_t sent = found == looks.before->queues.end() ? 0 : found->sent;
  return queue.sent < sent ? 0 : static_cast<double>(queue.sent - sent) / looks.seconds();
}

std::string process_text(const QueueMemberSeen& member) {
  const std::string pid = member.pid == 0 ? "?" : std::to_string(member.pid);
  const std::string taken = member.taken == 0 ? "" : fmt::format(" has {}", member.taken);
  return pid + (member.alive ? "" : " (died)") + taken;
}

std::string members_text(const QueueSeen& queue) {
  std::string text = std::to_string(queue.members.size());
  for (std::size_t i = 0; i < queue.members.size(); ++i) {
    text += (i == 0 ? ": " : ", ") + process_text(queue.members[i]);
  }
  return text;
}

std::string state_text(const QueueSeen& queue) {
  std::string text = queue.removed ? "removed" : "";
  const auto add = [&](bool holds, const char* what) {
    text += holds ? (text.empty() ? "" : ", ") + std::string(what) : "";
  };
  add(queue.receivers_sleep, "receivers wait");
  add(queue.senders_sleep, "senders wait");
  return text.empty() ? "-" : text;
}

Columns rows_of(const Looks& looks) {
  Columns rows({"QUEUE", "TYPE", "WAITING", "TAKEN", "OF", "LONG", "RATE", "OLDEST", "STATE", "MEMBERS", "MEMORY"});
  for (const QueueSeen& queue : looks.now.queues) {
    const auto rate = rate_of(looks, queue);
    rows.add({escaped(queue.name), escaped(queue.type) + (queue.any_length ? "[]" : ""), std::to_string(queue.waiting),
              std::to_string(queue.taken), std::to_string(queue.most_messages),
              queue.bytes == 0
                  ? "-"
                  : fmt::format("{} of {}", bytes_text(queue.bytes - queue.free_bytes), bytes_text(queue.bytes)),
              rate ? rate_text(rate) + "/s" : "-",
              queue.waiting == 0 ? "-" : fmt::format("{:.1f} s", static_cast<double>(queue.oldest_waits) / 1e9),
              state_text(queue), members_text(queue), bytes_text(queue.memory)});
  }
  return rows;
}

json json_of(const QueueMemberSeen& member) {
  return {{"token", Token::from(member.token).hex()},
          {"pid", member.pid == 0 ? json(nullptr) : json(member.pid)},
          {"alive", member.alive},
          {"taken", member.taken},
          {"sending", member.sending}};
}

json json_of(const QueueSeen& queue, std::optional<double> rate) {
  json members = json::array();
  for (const QueueMemberSeen& member : queue.members) {
    members.push_back(json_of(member));
  }
  return {{"name", escaped(queue.name)},
          {"uid", queue.owner},
          {"type", escaped(queue.type)},
          {"type_bytes", queue.type_bytes},
          {"any_length", queue.any_length},
          {"waiting", queue.waiting},
          {"taken", queue.taken},
          {"being_sent", queue.being_sent},
          {"most_messages", queue.most_messages},
          {"bytes", queue.bytes},
          {"free_bytes", queue.free_bytes},
          {"sent", queue.sent},
          {"rate", rate ? json(*rate) : json(nullptr)},
          {"returned", queue.returned},
          {"oldest_waits", queue.waiting == 0 ? json(nullptr) : json(static_cast<double>(queue.oldest_waits) / 1e9)},
          {"receivers_sleep", queue.receivers_sleep},
          {"senders_sleep", queue.senders_sleep},
          {"removed", queue.removed},
          {"memory", queue.memory},
          {"members", std::move(members)}};
}

json json_of(const Looks& looks) {
  json all = json::array();
  for (const QueueSeen& queue : looks.now.queues) {
    all.push_back(json_of(queue, rate_of(looks, queue)));
  }
  return all;
}

Result<void> list(const LooksOptions& options) {
  return look_twice(&inspect::queues, &Queues::queues, options).and_then([&](const Looks& looks) {
    return options.json ? print_json(looks, options.domain, "queues", json_of(looks))
                        : print_rows(looks, rows_of(looks));
  });
}

}  // namespace

void add_ls_queues(CLI::App& ls, int& code) {
  add_looks(ls, code, "queues", "List the queues of a domain, what they hold, and who has them open", &list);
}

}  // namespace tenon::cli
