#include <tenon/inspect/why/words.hpp>

namespace tenon::inspect {

namespace {

std::string of_the_dead(const Snapshot& all, const Link& link, pid_t dead) {
  const Wait& wait = all.waits[link.wait];
  const std::string pid = std::to_string(dead);
  if (wait.objects.empty()) {
    return "end " + process_name(all, wait.pid) + ": its thread " + pid + " ended with a lock";
  }
  const Object& object = all.objects[link.helpers[*link.next].object.value_or(wait.objects.front())];
  const std::string name = object_name(object);
  if (object.kind == Kind::sysv_semaphore) {
    return "give back what " + pid + " took, with semctl(2) SETVAL or one more semop(2) on " + name +
           ", or remove it: tenon rm sysv_semaphore:#" + std::to_string(object.id.value_or(0)) +
           "; with SEM_UNDO the kernel gives back what the dead held";
  }
  if (object.state.starts_with("robust")) {
    return "end those who wait for " + name + " and make it anew: " + pid +
           " died without the kernel's knowing of its lock, as when its memory was unmapped before";
  }
  if (object.kind == Kind::lock) {
    return "end those who wait for " + name + " and make it anew: nobody can unlock what " + pid +
           " took; a robust mutex (pthread_mutexattr_setrobust) tells the next one instead";
  }
  if (object.kind == Kind::sysv_queue) {
    return "start who receives from " + name + ": " + pid + " did, and is dead";
  }
  return "start again what " + pid + " was, or remove " + name;
}

// SIGCONT does not reach one whom a debugger has stopped.
std::string of_the_stopped(const Snapshot& all, pid_t stopped) {
  const Process* process = all.process(stopped);
  if (process == nullptr || process->state != 't') {
    return "let it go on: kill -CONT " + std::to_string(stopped);
  }
  return "let " + (process->tracer == 0 ? "its debugger" : process_name(all, process->tracer)) +
         " continue it, or detach from it: a signal does not";
}

std::string of_the_circle(const Snapshot& all, const Chain& chain) {
  std::vector<std::string> members;
  for (std::size_t i = chain.back_to; i < chain.links.size(); ++i) {
    members.push_back(process_name(all, all.waits[chain.links[i].wait].pid));
  }
  if (members.size() == 1) {
    return "end " + members.front() + ": it waits for itself";
  }
  return "end one of " + listed(members) + "; then let all of them take these things in one order";
}

std::string of_nobody(const Snapshot& all, const Link& link) {
  const Wait& wait = all.waits[link.wait];
  const std::string who = process_name(all, wait.pid);
  if (wait.objects.empty()) {
    return "end " + who;
  }
  const Object& object = all.objects[wait.objects.front()];
  const std::string name = object_name(object);
  if (object.state == "condition variable, wedged") {
    return "end all who have " + name +
           " mapped and make it anew: glibc's condition variable does not survive the "
           "death of a waiter; tenon's Condition does";
  }
  if (!link.helpers.empty() && wait.need != Need::room) {
    return "end all of them, or those who should not wait there: nobody is left who could change " + name;
  }
  if (wait.need == Need::room || (wait.need == Need::peer && wait.sends)) {
    return "start who receives from " + name + ", or end " + who;
  }
  if (object.kind == Kind::lock || is_semaphore(object)) {
    return "end " + who + ": nobody is left who could post or signal " + name;
  }
  return "end " + who + ", or let it close its own copy of the other end of " + name + ": then it is told of the end";
}

}  // namespace

std::string remedy(const Snapshot& all, const Chain& chain) {
  if (chain.links.empty()) {
    return "";
  }
  const Link& link = chain.links.back();
  const Wait& wait = all.waits[link.wait];
  switch (chain.ending) {
    case Ending::dead:
      return of_the_dead(all, link, chain.last);
    case Ending::stopped:
      return of_the_stopped(all, chain.last);
    case Ending::circle:
      return of_the_circle(all, chain);
    case Ending::nobody:
      return of_nobody(all, link);
    default:
      break;
  }
  const bool comers = chain.ending == Ending::idle && link.outside == Outside::comers && !wait.objects.empty();
  if (!comers) {
    return "";
  }
  const Object& object = all.objects[wait.objects.front()];
  return "none, if it serves whoever comes; else start who should " +
         std::string(wait.sends                         ? "read from "
                     : is_semaphore(object)             ? "post "
                     : object.kind == Kind::unix_socket ? "connect to "
                                                        : "write to ") +
         object_name(object);
}

}  // namespace tenon::inspect
