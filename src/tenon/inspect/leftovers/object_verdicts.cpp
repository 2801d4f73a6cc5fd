#include <tenon/inspect/leftovers/object_verdicts.hpp>

#include <tenon/os/fd.hpp>
#include <tenon/os/socket_name.hpp>
#include <tenon/os/unix_socket.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>
#include <sys/socket.h>
#include <vector>

namespace tenon::inspect {

namespace {

struct LeftoverVerdictName {
  LeftoverVerdict verdict;
  std::string_view name;
};
constexpr std::array verdict_names = {
    LeftoverVerdictName{LeftoverVerdict::in_use, "in_use"},
    LeftoverVerdictName{LeftoverVerdict::left_over, "left_over"},
    LeftoverVerdictName{LeftoverVerdict::likely, "likely"},
    LeftoverVerdictName{LeftoverVerdict::unjudged, "unjudged"},
};

std::string process(pid_t pid) { return "process " + std::to_string(pid); }

// By the kernel's own word: /proc may hide those of other users, and that an id was given out again is worked out from
// clocks which somebody may have set since.
bool exists(pid_t pid) noexcept { return ::kill(pid, 0) == 0 || errno != ESRCH; }

// Whom the kernel remembers.
class Remembered {
 public:
  Remembered(const Snapshot& all, std::size_t object) {
    const auto known = all.edges_of(object);
    edges_.assign(known.begin(), known.end());
    std::erase_if(edges_, [](const Edge& edge) { return is_hold(edge.relation); });
  }

  // Or another that has its id by now.
  std::optional<pid_t> living() const {
    const auto found = std::ranges::find_if(edges_, [](const Edge& edge) { return !edge.ended || exists(edge.pid); });
    return found == edges_.end() ? std::nullopt : std::optional(found->pid);
  }
  std::optional<pid_t> who(Relation relation) const {
    const auto found = std::ranges::find(edges_, relation, &Edge::relation);
    return found == edges_.end() ? std::nullopt : std::optional(found->pid);
  }
  // "process 812", "processes 812 and 815"
  std::string all() const {
    std::vector<pid_t> told;
    std::string text;
    for (const Edge& edge : edges_) {
      if (std::ranges::find(told, edge.pid) == told.end()) {
        told.push_back(edge.pid);
        text += (text.empty() ? "" : " and ") + std::to_string(edge.pid);
      }
    }
    return (told.size() == 1 ? "process " : "processes ") + text;
  }
  bool empty() const noexcept { return edges_.empty(); }

 private:
  std::vector<Edge> edges_;
};

std::optional<pid_t> living_holder(const Snapshot& all, std::size_t object) {
  for (const Edge& edge : all.edges_of(object)) {
    if (is_hold(edge.relation) && !edge.ended) {
      return edge.pid;
    }
  }
  return std::nullopt;
}

Judgement judge_memory(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  if (object.figure("attached").value_or(1) > 0) {
    return {.verdict = LeftoverVerdict::in_use, .proof = "somebody has it attached"};
  }
  const Remembered remembered(all, at);
  if (const auto living = remembered.living()) {
    return {.verdict = LeftoverVerdict::in_use, .proof = process(*living) + ", which made or attached it, lives"};
  }
  const auto creator = remembered.who(Relation::created);
  const auto attacher = remembered.who(Relation::last_attached);
  if (!creator || (object.used && !attacher)) {
    return {.verdict = LeftoverVerdict::unjudged,
            .proof = "nobody has it attached, but it was made or used by a process of another PID namespace"};
  }
  const std::string made = "nobody has it attached; " + process(*creator) + ", which made it, is dead";
  if (!attacher) {
    return {.verdict = LeftoverVerdict::left_over, .proof = made + ", and nobody has ever attached it"};
  }
  return {.verdict = LeftoverVerdict::left_over,
          .proof = made + (*attacher == *creator ? ", and attached it last"
                                                 : ", and so is " + process(*attacher) + ", which attached it last")};
}

Judgement judge_sleepers(int id, QueueSleepers& sleepers, std::string proof) {
  const auto waiting = sleepers.at(id);
  if (!waiting.empty()) {
    return {.verdict = LeftoverVerdict::in_use, .proof = process(waiting.front()) + " waits at it"};
  }
  if (sleepers.refused() > 0) {
    return {.verdict = LeftoverVerdict::unjudged,
            .proof = "whether one of " + std::to_string(sleepers.refused()) +
                     " processes that may not be looked at waits at it cannot be seen"};
  }
  return {.verdict = LeftoverVerdict::likely, .proof = std::move(proof)};
}

Judgement judge_queue(const Snapshot& all, std::size_t at, QueueSleepers& sleepers) {
  const Object& object = all.objects[at];
  const Remembered remembered(all, at);
  if (const auto living = remembered.living()) {
    return {.verdict = LeftoverVerdict::in_use, .proof = process(*living) + ", which used it last, lives"};
  }
  if (const auto messages = object.figure("messages").value_or(0); messages > 0) {
    return {.verdict = LeftoverVerdict::unjudged,
            .proof = std::to_string(messages) + " messages in it were never received"};
  }
  if (!remembered.who(Relation::last_sent) || !remembered.who(Relation::last_received)) {
    return {.verdict = LeftoverVerdict::unjudged,
            .proof = "the kernel remembers nobody who has used it, and no maker of a System V queue"};
  }
  return judge_sleepers(*object.id, sleepers,
                        "it is empty, nobody waits at it, and all who used it last are dead: " + remembered.all() +
                            "; the kernel keeps no list of holders");
}

Judgement judge_set(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  const auto waiting = object.figure("waiting");
  const Remembered remembered(all, at);
  if (const auto living = remembered.living()) {
    return {.verdict = LeftoverVerdict::in_use, .proof = process(*living) + ", which operated on it last, lives"};
  }
  if (!waiting || *waiting > 0) {
    return waiting
               ? Judgement{.verdict = LeftoverVerdict::in_use, .proof = "somebody waits at it"}
               : Judgement{.verdict = LeftoverVerdict::unjudged, .proof = "its mode lets nobody see who waits at it"};
  }
  if (remembered.empty()) {
    return {.verdict = LeftoverVerdict::unjudged,
            .proof = "the kernel remembers nobody who has operated on it, and no maker of a set"};
  }
  // 0 stands for nobody, and for whoever has no id in this PID namespace.
  if (const auto foreign = std::ranges::find(object.set, 0, &SemaphoreOfSet::last); foreign != object.set.end()) {
    return {.verdict = LeftoverVerdict::unjudged,
            .proof = "semaphore " + std::to_string(foreign - object.set.begin()) +
                     " of it was used by nobody, or by a process of another PID namespace: the kernel does not say"};
  }
  return {.verdict = LeftoverVerdict::likely,
          .proof = "nobody waits at it, and all who operated on it last are dead: " + remembered.all() +
                   "; the kernel keeps no list of holders"};
}

Judgement judge_named(const Snapshot& all, std::size_t at) {
  if (const auto holder = living_holder(all, at)) {
    return {.verdict = LeftoverVerdict::in_use, .proof = process(*holder) + " holds it"};
  }
  std::string lack = "nobody is seen to hold it; its maker is unknown, for the kernel does not keep it";
  if (const auto messages = all.objects[at].figure("messages").value_or(0); messages > 0) {
    lack += "; " + std::to_string(messages) + " messages in it were never received";
  }
  return {.verdict = LeftoverVerdict::unjudged, .proof = std::move(lack)};
}

// Whoever binds has the file for a moment before it is bound to it.
constexpr std::int64_t settled_after = 2;

Judgement judge_socket(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  if (object.state != "nobody is bound" || living_holder(all, at)) {
    return {.verdict = LeftoverVerdict::in_use, .proof = "a socket is bound to it"};
  }
  const auto held = object.owner ? hold_socket(object.name, *object.owner) : Result<Fd>(fail(Errc::not_found));
  const auto probe = make_socket(SocketKind::datagram);
  if (!held || !probe) {
    return {.verdict = LeftoverVerdict::unjudged, .proof = held ? probe.error().message() : held.error().message()};
  }
  const UnixAddress address = address_of_held(held->view());
  const int answer = ::connect(probe->raw(), address.raw(), address.length()) == 0 ? 0 : errno;
  if (answer == 0 || answer == EPROTOTYPE) {
    return {.verdict = LeftoverVerdict::in_use, .proof = "a socket of another network namespace is bound to it"};
  }
  if (answer != ECONNREFUSED) {
    return {.verdict = LeftoverVerdict::unjudged, .proof = "whether a socket is bound to it may not be asked"};
  }
  if (std::time(nullptr) - object.changed.value_or(0) < settled_after) {
    return {.verdict = LeftoverVerdict::unjudged, .proof = "no socket is bound to it yet, or any more: it is that new"};
  }
  return {.verdict = LeftoverVerdict::left_over,
          .proof = "no socket is bound to it, and none ever will be: a new one needs a new file"};
}

struct Row {
  Kind kind;
  Judgement (*judge)(const Snapshot&, std::size_t);
};
constexpr std::array rows = {
    Row{Kind::sysv_memory, judge_memory}, Row{Kind::sysv_semaphore, judge_set},    Row{Kind::posix_queue, judge_named},
    Row{Kind::posix_memory, judge_named}, Row{Kind::posix_semaphore, judge_named}, Row{Kind::fifo, judge_named},
    Row{Kind::unix_socket, judge_socket},
};

}  // namespace

std::string_view name_of(LeftoverVerdict verdict) noexcept {
  return std::ranges::find(verdict_names, verdict, &LeftoverVerdictName::verdict)->name;
}

Judgement judge(const Snapshot& all, std::size_t object, QueueSleepers& sleepers) {
  const Object& one = all.objects[object];
  if (one.kind == Kind::sysv_queue) {
    return judge_queue(all, object, sleepers);
  }
  const auto row = std::ranges::find(rows, one.kind, &Row::kind);
  // What has lost its name, or never had one, the kernel takes away with the last who holds it.
  if (row == rows.end() || one.state.ends_with("unlinked") || one.name.starts_with('@')) {
    return {.verdict = LeftoverVerdict::in_use, .proof = "it goes with the last process that holds it"};
  }
  return row->judge(all, object);
}

}  // namespace tenon::inspect
