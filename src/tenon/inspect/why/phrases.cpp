#include <tenon/inspect/why/phrases.hpp>

namespace tenon::inspect {

namespace {

bool listens(const Object& object) { return object.socket && object.socket->state == SocketState::listening; }

// Of Tenon's own, by the verb in which it waits.
std::string condition_of_pattern(const Object& object, const Wait& wait) {
  if (object.kind == Kind::service && wait.need == Need::message) {
    return wait.call == "call" ? "has not answered" : "has no request";
  }
  switch (wait.need) {
    case Need::message:
      return "is empty";
    case Need::room:
      return "is full";
    case Need::lock:
      return "is locked";
    case Need::signal:
      return "nobody has changed";
    case Need::peer:
      break;
  }
  return "has no other end yet";
}

}  // namespace

std::string process_name(const Snapshot& all, pid_t pid) {
  const Process* process = all.process(pid);
  if (process == nullptr) {
    return std::to_string(pid);
  }
  const std::string& command = process->command;
  const std::string program = command.starts_with('[') ? command : command.substr(0, command.find(' '));
  const std::size_t slash = program.starts_with('[') ? std::string::npos : program.rfind('/');
  return (slash == std::string::npos ? program : program.substr(slash + 1)) + " (" + std::to_string(pid) + ")";
}

std::string object_name(const Object& object) {
  const std::string kind(name_of(object.kind));
  if (object.id && is_system_v(object.kind)) {
    return kind + " " + object.name + " #" + std::to_string(*object.id);
  }
  const bool says_itself = object.kind == Kind::lock || object.kind == Kind::pipe || object.kind == Kind::eventfd ||
                           object.name.starts_with("socket:");
  const std::string state = object.kind == Kind::lock && !object.state.empty() ? " (" + object.state + ")" : "";
  return (says_itself ? "" : kind + " ") + object.name + state;
}

std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  }
  return text;
}

bool is_semaphore(const Object& object) {
  return object.kind == Kind::posix_semaphore || object.kind == Kind::sysv_semaphore || object.state == "semaphore";
}

std::string condition(const Object& object, const Wait& wait) {
  if (object.state == "condition variable, wedged") {
    return "is wedged: " + std::to_string(object.figure("dead_waiters").value_or(1)) + " of its waiters died inside it";
  }
  if (is_pattern(object.kind)) {
    return condition_of_pattern(object, wait);
  }
  switch (wait.need) {
    case Need::message:
      return listens(object) ? "nobody connects to" : "is empty";
    case Need::room:
      return "is full";
    case Need::lock:
      return is_semaphore(object) ? "is not high enough" : "is locked";
    case Need::signal:
      return "nobody has signalled";
    case Need::peer:
      break;
  }
  if (object.kind == Kind::unix_socket) {
    return wait.sends ? "has a full backlog" : "nobody connects to";
  }
  return wait.sends ? "nobody has open for reading" : "nobody has open for writing";
}

std::string lead_in(Role role, const Object* object) {
  switch (role) {
    case Role::writer:
      return "it can be written by ";
    case Role::reader:
      return "it can be emptied by ";
    case Role::acceptor:
      return "its connections are accepted by ";
    case Role::server:
      return "it is answered by ";
    case Role::owner:
      return "its owner is ";
    case Role::user:
      return object != nullptr && is_semaphore(*object) ? "it can be posted by " : "it can be signalled by ";
    case Role::last:
      return "the last to operate on it was ";
    case Role::carrier:
      return "its other end may be on its way, unreceived, to ";
    case Role::child:
      return "that is ";
    case Role::sibling:
      return "it can be ended by another thread of ";
  }
  return "";
}

}  // namespace tenon::inspect
