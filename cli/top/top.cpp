/// tenon top [--interval SECONDS] [--mechanism KIND]… [--once]
#include <tenon/base/name.hpp>
#include <tenon/os/clock.hpp>

#include <cli/columns.hpp>
#include <cli/command.hpp>
#include <cli/input.hpp>
#include <cli/interrupt.hpp>
#include <cli/object_view.hpp>
#include <cli/output_file.hpp>
#include <cli/process_view.hpp>
#include <cli/running_command.hpp>
#include <cli/say.hpp>
#include <cli/top/top_frame.hpp>
#include <cli/top/top_view.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>

namespace tenon::cli {

namespace {

constexpr std::size_t peeked = 10;
constexpr double longest_answer = 10;  // seconds
// A look at a machine with very many objects and processes takes long. Its processor time is kept to a fiftieth of all,
// by looking more seldom.
constexpr double share = 50;

struct TopOptions {
  std::vector<std::string> kinds;
  std::string domain;
  double interval = 1;
  bool once = false;
};

Result<inspect::SnapshotOptions> look_of(const TopOptions& options) {
  inspect::SnapshotOptions look{.kinds = {}, .directories = {}, .waits = true};  // what nobody has open has no traffic
  for (const std::string& name : options.kinds) {
    auto kind = inspect::kind_of(name);
    if (!kind) {
      return fail(std::move(kind.error()));
    }
    look.kinds.push_back(*kind);
  }
  if (!options.domain.empty()) {
    look.domains = {{options.domain}};
  }
  return look;
}

double seconds_between(std::int64_t from, std::int64_t to) { return static_cast<double>(to - from) / 1e9; }

std::int64_t own_processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * 1'000'000'000 + used.tv_nsec;
}

std::string text_once(const inspect::Snapshot& now, const inspect::Snapshot& before, double seconds,
                      const std::vector<inspect::Kind>& kinds) {
  const std::size_t width = terminal_width();
  const TopChoice choice{.kinds = kinds};
  const auto objects = top_objects(now, before, seconds, choice);
  const auto processes = top_processes(now, choice);
  std::string text = title_of({.objects = objects.size(), .processes = processes.size(), .unseen = now.unseen.size()},
                              seconds, choice) +
                     "\n" + heading_of_objects(width) + "\n";
  for (const TopObject& row : objects) {
    text += line_of(row, width) + "\n";
  }
  text += "\n" + heading_of_processes(width) + "\n";
  for (const TopProcess& row : processes) {
    text += line_of(row, width) + "\n";
  }
  return text;
}

Result<void> once(const inspect::SnapshotOptions& look, double interval) {
  const std::int64_t began = monotonic_now();
  const inspect::Snapshot before = inspect::snapshot(look);
  if (auto slept = sleep_until(step_deadline(interval)); slept.failed_with(Errc::stopped)) {
    return slept;
  }
  const inspect::Snapshot now = inspect::snapshot(look);
  const double seconds = seconds_between(began, monotonic_now());
  return print_whole(text_once(now, before, seconds, look.kinds), step_deadline(0)).transform([&] {
    for (const std::string& sentence : now.unseen) {
      say(fmt::format("tenon top: not seen: {}\n", escaped(sentence)));
    }
  });
}

// What `tenon why` says of these processes, run as a command of its own.
std::string why(const std::vector<pid_t>& processes) {
  std::vector<std::string> words = {"/proc/self/exe", "why"};
  for (const pid_t pid : processes) {
    words.push_back(std::to_string(pid));
  }
  auto command = RunningCommand::start(words, RunningCommand::Errors::held);
  if (!command) {
    return command.error().message();
  }
  (*command)->input.reset();
  const Deadline deadline = after(std::chrono::duration<double>(longest_answer));
  std::string text;
  for (auto* stream : {&(*command)->output, &(*command)->errors}) {
    std::array<std::byte, 4096> bytes{};
    for (auto got = (*stream)->read(bytes, deadline); got && *got > 0; got = (*stream)->read(bytes, deadline)) {
      text += text_of(Bytes(bytes).first(*got));
    }
  }
  return text.empty() ? "tenon why says nothing of it" : text;
}

// Those who wait for the chosen object, else those who hold it; or the chosen process.
std::vector<pid_t> asked_about(const TopView& view) {
  if (const auto pid = view.chosen_process()) {
    return {*pid};
  }
  const auto object = view.chosen_object();
  std::vector<pid_t> waiting;
  std::vector<pid_t> holding;
  for (const inspect::Wait& wait : view.snapshot().waits) {
    if (object && std::ranges::find(wait.objects, *object) != wait.objects.end()) {
      waiting.push_back(wait.pid);
    }
  }
  for (const inspect::Edge& edge : object ? view.snapshot().edges_of(*object) : std::span<const inspect::Edge>()) {
    if (inspect::is_hold(edge.relation) && !edge.ended) {
      holding.push_back(edge.pid);
    }
  }
  auto& asked = waiting.empty() ? holding : waiting;
  std::ranges::sort(asked);
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  return asked;
}

void fulfil(TopWish wish, TopView& view) {
  if (wish == TopWish::why) {
    const auto processes = asked_about(view);
    if (processes.empty()) {
      view.status = "nobody is seen to hold it or to wait for it";
    } else {
      view.show_text(why(processes));
    }
  } else if (const auto object = view.chosen_object()) {
    view.show_text(view_text(view.snapshot(), view_of(view.snapshot(), *object, peeked)));
  } else if (const auto pid = view.chosen_process()) {
    view.show_text(process_view(view.snapshot(), *pid));
  }
}

// One refresh, and the keys until the next. False to end.
Result<bool> run_until(TopScreen& screen, TopView& view, Deadline next) {
  while (true) {
    const auto frame = view.frame(screen.rows(), screen.columns());
    screen.show(frame.lines, frame.selected);
    const auto pressed = screen.key(next);
    if (pressed.failed_with(Errc::timed_out)) {
      return true;
    }
    if (pressed.failed_with(Errc::stopped) || pressed.failed_with(Errc::closed)) {
      return false;
    }
    if (!pressed) {
      return fail(Error(pressed.error()));
    }
    const TopWish wish = view.press(*pressed, screen.rows());
    if (wish == TopWish::quit) {
      return false;
    }
    if (wish != TopWish::nothing) {
      fulfil(wish, view);
    }
  }
}

Result<void> watch(const inspect::SnapshotOptions& look, double interval) {
  interrupt();  // before the screen, which would else end the program at a signal by itself
  auto screen = TopScreen::open();
  if (!screen) {
    return fail(std::move(screen.error()));
  }
  TopView view(interval, look.kinds);
  std::int64_t taken = monotonic_now();
  std::int64_t used = own_processor_time();
  while (true) {
    view.take(inspect::snapshot(look), seconds_between(taken, monotonic_now()));
    taken = monotonic_now();
    const double cost = seconds_between(used, own_processor_time());
    const double pause = std::max(interval, cost * share);
    auto goes_on = run_until(*screen, view, step_deadline(pause));
    used = own_processor_time();
    if (!goes_on || !*goes_on) {
      return goes_on ? Result<void>() : fail(std::move(goes_on.error()));
    }
  }
}

}  // namespace

void add_top(CLI::App& program, int& code) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command = program.add_subcommand("top", "Watch objects and processes as they go");
  command->add_option("--interval", options->interval, "The time between two looks")
      ->check(seconds)
      ->capture_default_str()
      ->type_name("SECONDS");
  command->add_option("--mechanism", options->kinds, "Only that kind; may be said more than once")->type_name("KIND");
  command->add_option("--domain", options->domain, "Where Tenon's own are looked for, instead of all that can be found")
      ->type_name("DIR");
  command->add_flag("--once", options->once, "Print one picture as text, and end");
  command->footer(
      "Example:\n"
      "  tenon top\n"
      "  tenon top --once --interval 0.5 --mechanism topic\n"
      "Keys: s shows the chosen line, w says why it waits, p turns to processes, T D W N sort by traffic, depth, "
      "waiters\nand name, / filters, q ends.");
  command->callback([options, &code] {
    const auto look = look_of(*options);
    const auto shown = !look           ? Result<void>(fail(Error(look.error())))
                       : options->once ? once(*look, options->interval)
                                       : watch(*look, options->interval);
    code = shown ? succeeded : report("top", shown.error());
  });
}

}  // namespace tenon::cli
