/// tenon why [PID|NAME]… [--all] [--json]
#include <tenon/base/name.hpp>
#include <tenon/inspect/waits/sleepers.hpp>
#include <tenon/inspect/why/chain.hpp>
#include <tenon/inspect/why/words.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/procfs.hpp>

#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/output_file.hpp>
#include <cli/say.hpp>
#include <cli/scalar_text.hpp>
#include <cli/why_json.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <unistd.h>

namespace tenon::cli {

namespace {

struct WhyOptions {
  std::vector<std::string> who;
  std::vector<std::string> directories;
  bool all = false;
  bool json = false;
};

// The processes of that number, or whose program or name of the kernel's is that. Outcomes: not_found.
Result<std::vector<pid_t>> processes_of(const std::string& who) {
  const auto number = whole_number_in(who);
  std::vector<pid_t> found;
  for (const pid_t pid : procfs::all_processes()) {
    const std::string command = procfs::command(pid).value_or("");
    const std::string program = command.substr(0, command.find(' '));
    const auto process = procfs::process(pid);
    const bool named = program.substr(program.rfind('/') + 1) == who || (process && process->name == who);
    if (number ? static_cast<std::uint64_t>(pid) == *number : named && pid != ::getpid()) {
      found.push_back(pid);
    }
  }
  if (found.empty()) {
    return fail(Error(Errc::not_found).on(who).because("no process has that number or name"));
  }
  return found;
}

// Of a process that waits for nobody: how it stands.
std::string standing_text(pid_t pid) {
  const auto process = procfs::process(pid);
  const std::string name = fmt::format("{} ({})", process ? escaped(process->name) : "?", pid);
  const char state = inspect::standing_of(pid).state;
  if (!process || state == 'Z' || state == '?') {
    return name + " has ended";
  }
  if (state == 'T') {
    return name + fmt::format(" is stopped\n  remedy: let it go on: kill -CONT {}", pid);
  }
  if (state == 't') {
    return name + fmt::format(" is stopped by its debugger, process {}", inspect::tracer_of(pid));
  }
  if (state == 'D') {
    return name + " is held by the kernel until a device or a file system answers: no signal ends that";
  }
  const bool closed = procfs::text(fmt::format("/proc/{}/syscall", pid)).failed_with(Errc::permission_denied);
  return closed ? name + " may wait: its calls may not be seen but by its own user and by root"
                : name + " waits for nobody: it runs, or sleeps for reasons of its own";
}

std::string chain_text(const inspect::Snapshot& all, const inspect::Chain& chain, std::int64_t now) {
  std::string text = escaped(inspect::sentence(all, chain, now));
  const std::string remedy = escaped(inspect::remedy(all, chain));
  return text + (remedy.empty() ? "" : "\n  remedy: " + remedy) + "\n";
}

// Where that is no object that others see, it is each one's own.
std::string thing_of(const inspect::Wait& wait) {
  std::string thing = fmt::format("{} {} {}", wait.call, inspect::name_of(wait.need), wait.sends);
  thing += wait.semaphore ? fmt::format(" semaphore {}", *wait.semaphore) : "";
  thing += wait.objects.empty() ? fmt::format(" of {}", wait.pid) : "";
  std::ranges::for_each(wait.objects, [&](std::size_t object) { thing += fmt::format(" {}", object); });
  return thing;
}

// Those who wait for the same thing in the same plight are told once.
std::string chains_text(const inspect::Snapshot& all, const std::vector<inspect::Chain>& chains, std::int64_t now) {
  std::map<std::string, std::vector<const inspect::Chain*>> alike;
  std::vector<std::string> order;
  for (const inspect::Chain& chain : chains) {
    const inspect::Wait& first = all.waits[chain.links.front().wait];
    std::string key = thing_of(first);
    for (std::size_t i = 1; i < chain.links.size(); ++i) {
      key += fmt::format(" > {}", chain.links[i].wait);
    }
    key += fmt::format(" {} {} {}", inspect::name_of(chain.ending), inspect::name_of(chain.plight), chain.last);
    if (alike[key].empty()) {
      order.push_back(key);
    }
    alike[key].push_back(&chain);
  }
  std::string text;
  for (const std::string& key : order) {
    const auto& group = alike[key];
    text += chain_text(all, *group.front(), now);
    std::string others;
    for (std::size_t i = 1; i < group.size(); ++i) {
      const inspect::Wait& wait = all.waits[group[i]->links.front().wait];
      others += (others.empty() ? "" : ", ") + inspect::process_name(all, wait.pid);
    }
    text += others.empty() ? "" : "  so does: " + escaped(others) + "\n";
  }
  return text;
}

// Every wait of the machine, stuck or not.
std::vector<inspect::Chain> every_chain(const inspect::Snapshot& all, const inspect::Chains& chains) {
  std::vector<inspect::Chain> found;
  pid_t last = 0;
  for (const inspect::Wait& wait : all.waits) {
    if (wait.pid != last) {
      std::ranges::move(chains.of(wait.pid), std::back_inserter(found));
    }
    last = wait.pid;
  }
  return found;
}

struct Answer {
  std::vector<inspect::Chain> chains;
  std::vector<std::string> others;  // of those that wait for nobody
};

Result<Answer> answer_of(const WhyOptions& options, const inspect::Snapshot& all) {
  const inspect::Chains chains(all);
  Answer answer;
  if (options.who.empty()) {
    answer.chains = options.all ? every_chain(all, chains) : chains.stuck();
  }
  for (const std::string& who : options.who) {
    auto pids = processes_of(who);
    if (!pids) {
      return fail(std::move(pids.error()));
    }
    for (const pid_t pid : *pids) {
      auto own = chains.of(pid);
      if (own.empty()) {
        answer.others.push_back(standing_text(pid));
      }
      std::ranges::move(own, std::back_inserter(answer.chains));
    }
  }
  return answer;
}

std::string answer_text(const inspect::Snapshot& all, const Answer& answer, std::int64_t now) {
  std::string text = chains_text(all, answer.chains, now);
  for (const std::string& one : answer.others) {
    text += one + "\n";
  }
  return text.empty() ? "Nothing is stuck.\n" : text;
}

int why(const WhyOptions& options) {
  inspect::SnapshotOptions wanted;
  wanted.directories = options.directories;
  wanted.waits = true;
  const inspect::Snapshot all = inspect::snapshot(wanted);
  const std::int64_t now = monotonic_now();
  const auto answer = answer_of(options, all);
  if (!answer) {
    report("why", answer.error());
    return misused;
  }
  const std::string text = options.json ? why_json(all, answer->chains, now) : answer_text(all, *answer, now);
  if (const auto printed = print_whole(text, step_deadline(0)); !printed) {
    report("why", printed.error());
    return misused;
  }
  for (const std::string& sentence : options.json ? std::vector<std::string>() : all.unseen) {
    say(fmt::format("tenon why: not seen: {}\n", escaped(sentence)));
  }
  const bool stuck =
      std::ranges::any_of(answer->chains, [](const inspect::Chain& one) { return inspect::is_stuck(one.ending); });
  return stuck ? failed : succeeded;
}

}  // namespace

void add_why(CLI::App& program, int& code) {
  auto options = std::make_shared<WhyOptions>();
  CLI::App* command = program.add_subcommand("why", "Say why processes do not go on, and what would help");
  command->add_option("WHO", options->who, "Processes, by number or name; none: all that are stuck on this machine");
  command->add_option("--in", options->directories, "Look for FIFOs and sockets that nobody has open there too")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  command->add_flag("--all", options->all, "Without WHO: also those who wait, and will go on");
  command->add_flag("--json", options->json, "Print {stuck, chains, unseen}; docs/tools.md has the schema");
  command->footer(
      "Example:\n"
      "  tenon why 812\n"
      "Ends with 0 if nothing is stuck, 1 if something is, or possibly is, 2 if it could not be told. It only reads, "
      "and does nothing "
      "to anybody.");
  command->callback([options, &code] { code = why(*options); });
}

}  // namespace tenon::cli
