#include <tenon/inspect/why/words.hpp>

#include <algorithm>
#include <iterator>

namespace tenon::inspect {

namespace {

std::string duration(std::int64_t nanoseconds) {
  constexpr std::int64_t second = 1'000'000'000;
  const std::int64_t seconds = nanoseconds / second;
  if (seconds < 1) {
    return std::to_string(nanoseconds / 1'000'000) + " ms";
  }
  if (seconds < 120) {
    return std::to_string(seconds) + " s";
  }
  return seconds < 7200 ? std::to_string(seconds / 60) + " min" : std::to_string(seconds / 3600) + " h";
}

class Teller {
 public:
  Teller(const Snapshot& all, const Chain& chain, std::int64_t now) : all_(all), chain_(chain), now_(now) {}

  std::string tell() {
    std::string text;
    for (std::size_t i = 0; i < chain_.links.size(); ++i) {
      const Link& link = chain_.links[i];
      text += (i == 0 ? who(all_.waits[link.wait]) : "") + " waits" + what(link);
      text += helpers(link);
      text += i + 1 < chain_.links.size() ? ", which" : end(link);
    }
    return text + (chain_.plight == Plight::possibly ? "; possibly stuck: " + doubt() : "");
  }

 private:
  std::string who(const Wait& wait) const {
    const bool other_thread = wait.thread != 0 && wait.thread != wait.pid;
    return (other_thread ? "thread " + std::to_string(wait.thread) + " of " : "") + process_name(all_, wait.pid);
  }

  // "[ 14 s] in mq_timedreceive on /jobs, which is empty"
  std::string what(const Link& link) const {
    const Wait& wait = all_.waits[link.wait];
    std::string text = wait.since ? " " + duration(std::max<std::int64_t>(now_ - *wait.since, 0)) : "";
    text += " in " + wait.call;
    if (!wait.processes.empty()) {
      return text + " for a child";
    }
    if (wait.objects.empty()) {
      return text + (wait.call.starts_with("futex") ? " on a lock of its own threads" : "");
    }
    const std::size_t at = chosen(link).value_or(wait.objects.front());
    const Object& object = all_.objects[at];
    const std::size_t others = wait.objects.size() - 1;
    text += " on " + (wait.semaphore ? "semaphore " + std::to_string(*wait.semaphore) + " of " : "") +
            object_name(object) + ", which " + condition(object, wait);
    return text + (others == 0 ? "" : " (and on " + std::to_string(others) + (others == 1 ? " other)" : " others)"));
  }

  // That through which the chain goes on.
  static std::optional<std::size_t> chosen(const Link& link) {
    return link.next ? link.helpers[*link.next].object : std::nullopt;
  }

  // All who could end it; the one with whom it goes on comes last.
  std::string helpers(const Link& link) const {
    if (!link.next) {
      return "";
    }
    const Rescuer& next = link.helpers[*link.next];
    const Object* object = next.object ? &all_.objects[*next.object] : nullptr;
    std::vector<Rescuer> besides;
    std::ranges::copy_if(link.helpers, std::back_inserter(besides), [&](const Rescuer& one) {
      return one.role == next.role && one.object == next.object && one.pid != next.pid;
    });
    std::vector<std::string> others = names_of(besides);
    others.push_back(next.ended ? std::to_string(next.pid) : process_name(all_, next.pid));
    return "; " + lead_in(next.role, object) + listed(others);
  }

  // Of many, how many.
  std::vector<std::string> names_of(const std::vector<Rescuer>& helpers) const {
    constexpr std::size_t most = 4;
    if (helpers.size() > most) {
      return {std::to_string(helpers.size()) + " others"};
    }
    std::vector<std::string> names;
    std::ranges::for_each(helpers, [&](const Rescuer& one) { names.push_back(process_name(all_, one.pid)); });
    return names;
  }

  std::string end(const Link& link) const {
    const Wait& wait = all_.waits[link.wait];
    switch (chain_.ending) {
      case Ending::runs:
        return standing(chain_.last);
      case Ending::dead:
        return ", which is dead";
      case Ending::stopped:
        return stopped(chain_.last);
      case Ending::circle:
        return circle();
      case Ending::nobody:
        return nobody(link);
      case Ending::unseen:
        return unseen(link);
      case Ending::idle:
        break;
    }
    switch (link.outside) {
      case Outside::elsewhere:
        return std::string(wait.objects.empty() ? " for" : ", or for") +
               " input from elsewhere: a terminal, a network, a timer or a file";
      case Outside::itself:
        return wait.gives_up ? "; it has a deadline" : "; a signal to it, or a thread of its own, may end that";
      default:
        return std::string("; whoever comes may end that") + (link.helpers.empty() ? ", and nobody is there now" : "");
    }
  }

  // What keeps it from being sure: of the first link where there is such a thing.
  std::string doubt() const {
    const auto link = std::ranges::find_if(chain_.links, [](const Link& one) { return one.others != Others::none; });
    const auto& objects = all_.waits[link == chain_.links.end() ? 0 : link->wait].objects;
    const std::string name = objects.empty() ? "it" : object_name(all_.objects[objects.front()]);
    switch (link == chain_.links.end() ? Others::none : link->others) {
      case Others::by_name:
        return name + " has a name, and whoever comes by that may end the wait";
      case Others::unlisted:
        return "the kernel does not tell who else uses " + name;
      case Others::joint:
        return "its owners may have one lock in common, which any of them gives back";
      case Others::closed:
        return closed_processes() + " could not be looked at, and may have " + name + " open";
      case Others::none:
        break;
    }
    return "somebody who is not seen may end a wait of it";
  }

  std::string closed_processes() const {
    return std::to_string(all_.closed_processes) + (all_.closed_processes == 1 ? " process" : " processes");
  }

  // How it is with somebody who does not wait for others.
  std::string standing(pid_t pid) const {
    const Process* process = all_.process(pid);
    const char state = process == nullptr ? '?' : process->state;
    return state == 'D' ? ", which the kernel holds until a device or a file system answers" : ", which runs";
  }

  std::string stopped(pid_t pid) const {
    const Process* process = all_.process(pid);
    if (process == nullptr || process->state != 't') {
      return ", which is stopped";
    }
    return ", which is stopped by " +
           (process->tracer == 0 ? "a debugger" : "its debugger " + process_name(all_, process->tracer));
  }

  std::string unseen(const Link& link) const {
    const Wait& wait = all_.waits[link.wait];
    if (!wait.unseen.empty()) {
      return "; not seen: " + wait.unseen;
    }
    return "; not seen: who could end that" +
           (all_.closed_processes == 0 ? "" : "; " + closed_processes() + " could not be looked at");
  }

  std::string circle() const {
    const Wait& first = all_.waits[chain_.links[chain_.back_to].wait];
    const std::size_t length = chain_.links.size() - chain_.back_to;
    if (length == 1) {
      return " itself: a circle of one";
    }
    return ", which closes a circle of " + std::to_string(length) + " that begins at " + who(first);
  }

  std::string nobody(const Link& link) const {
    const Wait& wait = all_.waits[link.wait];
    if (wait.objects.empty()) {
      return "; nobody can end that";
    }
    const Object& object = all_.objects[wait.objects.front()];
    if (object.state == "condition variable, wedged") {
      return "; nobody can end that";
    }
    if (!link.helpers.empty()) {
      return "; all who could end that wait for it themselves: " + listed(names_of(link.helpers));
    }
    const bool own = all_.process(wait.pid) != nullptr && holds_other_end(wait);
    const char* doing = wait.need == Need::room || (wait.need == Need::peer && wait.sends) ? "read" : "write";
    if (object.kind == Kind::lock || is_semaphore(object)) {
      return "; nobody else has it mapped";
    }
    return own ? "; nobody but itself has its other end open"
               : std::string("; nobody is seen who could ") + doing + " there";
  }

  bool holds_other_end(const Wait& wait) const {
    return std::ranges::any_of(wait.objects, [&](std::size_t at) {
      const Object& object = all_.objects[at];
      const std::size_t other = object.socket && object.socket->peer_object ? *object.socket->peer_object : at;
      return std::ranges::any_of(all_.edges_of(other), [&](const Edge& edge) {
        const bool able = wait.need == Need::room ? edge.reads : edge.writes;
        return edge.pid == wait.pid && edge.relation == Relation::holds && able;
      });
    });
  }

  const Snapshot& all_;
  const Chain& chain_;
  std::int64_t now_;
};

}  // namespace

std::string sentence(const Snapshot& all, const Chain& chain, std::int64_t now) {
  return Teller(all, chain, now).tell();
}

}  // namespace tenon::inspect
