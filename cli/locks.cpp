/// tenon locks [--domain DIR] [--json | --forget]
#include <tenon/base/name.hpp>
#include <tenon/inspect/patterns/lock_orders.hpp>
#include <tenon/os/domain.hpp>

#include <cli/columns.hpp>
#include <cli/command.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::cli {

namespace {

using inspect::LockHold;
using inspect::LockOrderLink;
using inspect::LockOrders;
using nlohmann::json;

struct LocksOptions {
  std::string domain = Domain::path_of_environment();
  bool json = false;
  bool forget = false;
};

std::string name_in(const LockOrders& all, std::uint32_t lock) { return escaped(all.locks[lock].name); }

std::string process_text(std::uint32_t pid, std::uint32_t thread, const std::string& name) {
  return std::to_string(pid) + (thread == pid ? "" : fmt::format(" thread {}", thread)) +
         (name.empty() ? "" : " (" + escaped(name) + ")");
}

std::string holder_text(const LockHold& hold) {
  return (hold.pid ? process_text(*hold.pid, hold.thread, "") : fmt::format("thread {}", hold.thread)) +
         (hold.died ? ", died" : "");
}

void print_holds(const LockOrders& all) {
  if (all.holds.empty()) {
    fmt::print("Nobody holds any of them.\n");
    return;
  }
  Columns rows({"HELD", "BY", "TAKEN AT"});
  for (const LockHold& hold : all.holds) {
    rows.add({name_in(all, hold.lock), holder_text(hold), escaped(hold.taken_at)});
  }
  fmt::print("{}", rows.text(terminal_width()));
}

void print_orders(const LockOrders& all) {
  Columns rows({"FIRST", "THEN", "", "BY", "FIRST AT", "THEN AT"});
  for (const LockOrderLink& order : all.orders) {
    const bool accepted = order.standing == OrderStanding::accepted;
    rows.add({name_in(all, order.held), name_in(all, order.wanted), accepted ? "" : inspect::name_of(order.standing),
              order.is_told ? process_text(order.pid, order.thread, order.process) : "killed meanwhile",
              escaped(order.held_at), escaped(order.wanted_at)});
  }
  if (!all.orders.empty()) {
    fmt::print("\n{}", rows.text(terminal_width()));
  }
}

void print(const LockOrders& all) {
  print_holds(all);
  print_orders(all);
  const auto refused = std::ranges::count(all.orders, OrderStanding::refused, &LockOrderLink::standing);
  fmt::print("\n{} locks, {} held, {} orders, {} refused\n", all.locks.size(), all.holds.size(),
             static_cast<std::ptrdiff_t>(all.orders.size()) - refused, refused);
}

json json_of(const LockOrderLink& order) {
  return {{"first", order.held},
          {"then", order.wanted},
          {"standing", inspect::name_of(order.standing)},
          {"pid", order.is_told ? json(order.pid) : json(nullptr)},
          {"thread", order.is_told ? json(order.thread) : json(nullptr)},
          {"process", escaped(order.process)},
          {"first_at", escaped(order.held_at)},
          {"then_at", escaped(order.wanted_at)},
          {"when", order.is_told ? json(order.when / 1'000'000'000) : json(nullptr)}};
}

void print_json(const LocksOptions& options, const LockOrders& all) {
  json locks = json::array();
  for (const inspect::OrderedLock& lock : all.locks) {
    locks.push_back({{"name", escaped(lock.name)},
                     {"kind", lock.kind},
                     {"device", lock.device},
                     {"inode", lock.inode},
                     {"offset", lock.offset}});
  }
  json holds = json::array();
  for (const LockHold& hold : all.holds) {
    holds.push_back({{"lock", hold.lock},
                     {"pid", hold.pid ? json(*hold.pid) : json(nullptr)},
                     {"thread", hold.thread},
                     {"taken_at", escaped(hold.taken_at)},
                     {"died", hold.died}});
  }
  json orders = json::array();
  std::ranges::transform(all.orders, std::back_inserter(orders), json_of);
  const json whole = {{"domain", escaped(options.domain)},
                      {"locks", std::move(locks)},
                      {"holds", std::move(holds)},
                      {"orders", std::move(orders)}};
  fmt::print("{}\n", whole.dump(2));
}

// The name alone: a link that somebody has put there goes, and what it leads to stays.
Result<void> forget(const std::string& domain) {
  const std::string path = domain + "/" + lock_order_name;
  struct stat status{};
  if (::stat(domain.c_str(), &status) == -1) {  // Domain::open would make it
    return fail(os_failure("stat", errno).on(domain));
  }
  return Domain::open(domain).and_then([&](const Domain& opened) -> Result<void> {
    if (::unlinkat(opened.directory().raw(), lock_order_name, 0) == -1) {
      return fail(os_failure("unlink", errno).on(path));
    }
    return {};
  });
}

int locks(const LocksOptions& options) {
  if (options.forget) {
    const auto forgotten = forget(options.domain);
    return forgotten ? succeeded : report("locks", forgotten.error());
  }
  const auto all = inspect::lock_orders(options.domain);
  if (all.failed_with(Errc::not_found)) {
    options.json ? print_json(options, {})
                 : fmt::print("No checked program has locked anything in {}.\n", escaped(options.domain));
    return succeeded;
  }
  if (!all) {
    return report("locks", all.error());
  }
  options.json ? print_json(options, *all) : print(*all);
  return succeeded;
}

}  // namespace

void add_locks(CLI::App& program, int& code) {
  auto options = std::make_shared<LocksOptions>();
  CLI::App* command = program.add_subcommand(
      "locks", "Show who holds which locks, in which orders they are taken, and what was refused");
  command->add_option("--domain", options->domain, "Instead of TENON_DOMAIN, or your own in /dev/shm")
      ->type_name("DIR");
  auto* const json = command->add_flag("--json", options->json, "Print {domain, locks, holds, orders}; docs/tools.md");
  command->add_flag("--forget", options->forget, "Forget all orders: after the program that is wrong was mended")
      ->excludes(json);
  command->footer(
      "Example:\n"
      "  tenon locks --domain /dev/shm/bank\n"
      "Programs that are built with TENON_CHECKED record it; others do not.");
  command->callback([options, &code] { code = locks(*options); });
}

}  // namespace tenon::cli
