#include <tenon/inspect/why/rescue.hpp>

#include <tenon/inspect/why/search.hpp>

#include <algorithm>
#include <array>
#include <csignal>

namespace tenon::inspect {

namespace {

struct RoleName {
  Role role;
  std::string_view name;
};
constexpr std::array role_names = {
    RoleName{Role::writer, "writer"},   RoleName{Role::reader, "reader"},   RoleName{Role::acceptor, "acceptor"},
    RoleName{Role::server, "server"},   RoleName{Role::owner, "owner"},     RoleName{Role::user, "user"},
    RoleName{Role::last, "last"},       RoleName{Role::carrier, "carrier"}, RoleName{Role::child, "child"},
    RoleName{Role::sibling, "sibling"},
};

// Who has taken it is not kept, and anybody may give: a kernel's semaphore, or one in memory.
bool is_semaphore(const Object& object) {
  return object.kind == Kind::posix_semaphore || object.kind == Kind::sysv_semaphore ||
         (object.kind == Kind::lock && object.state == "semaphore");
}

}  // namespace

std::string_view name_of(Role role) noexcept { return std::ranges::find(role_names, role, &RoleName::role)->name; }

Rescue rescue_of(const Snapshot& all, const Wait& wait) { return Search(all, wait).run(); }

Rescue Search::run() {
  add_by_call();
  for (const std::size_t object : wait_.objects) {
    known_.clear();
    add_by_object(object);
  }
  found_.needs_all = found_.needs_all && wait_.objects.size() == 1;
  if (!wait_.unseen.empty()) {
    found_.outside = Outside::unseen;
  } else if (wait_.elsewhere) {
    found_.outside = Outside::elsewhere;
  } else if (found_.outside == Outside::nobody && (ends_itself() || is_signalled())) {
    found_.outside = Outside::itself;
  }
  judge_closed();
  return std::move(found_);
}

// A child that is gone keeps no parent waiting: the kernel tells the parent, or it is another's child by now.
void Search::add_by_call() {
  for (const pid_t child : wait_.processes) {
    const bool lives = all_.process(child) != nullptr || std::ranges::binary_search(all_.hidden, child);
    if (lives && !has_ended(child)) {
      found_.helpers.push_back({.pid = child, .role = Role::child});
    } else {
      found_.outside = Outside::unseen;
    }
  }
  // A lock that no other process sees: one of its own threads.
  if (wait_.objects.empty() && wait_.call.starts_with("futex")) {
    const bool owned = wait_.lock.owner != 0;
    found_.helpers.push_back({.pid = wait_.pid,
                              .role = owned ? Role::owner : Role::sibling,
                              .thread = wait_.lock.owner,
                              .ended = owned && wait_.lock.owner_died});
    found_.is_owed = owned;
    // As the main thread of a daemon that waits for a signal to end.
    if (!owned && waits_for_itself_alone()) {
      found_.outside = Outside::itself;
    }
  }
}

void Search::add_by_object(std::size_t at) {
  const Object& object = all_.objects[at];
  switch (object.kind) {
    case Kind::unix_socket:
      return add_of_socket(at);
    case Kind::sysv_queue:
      return add_of_sysv_queue(at);
    case Kind::sysv_semaphore:
      return add_of_set(at);
    case Kind::posix_semaphore:
      return add_users(at);
    case Kind::lock:
      return add_of_lock(at);
    case Kind::file_lock:
      return add_of_file_lock(at);
    default:
      break;
  }
  if (is_pattern(object.kind)) {
    found_.rechecks = true;
    add_of_pattern(at);
  } else {
    add_of_open(at);
  }
}

// Each once. Who waits is one who could help only if it has another thread.
void Search::add(Rescuer helper) {
  helper.ended = helper.ended || has_ended(helper.pid);
  const Process* self = all_.process(wait_.pid);
  if (helper.pid == wait_.pid) {
    has_other_end_ = true;
    if (self != nullptr && self->threads == 1) {
      return;
    }
  }
  if (known_.insert(helper.pid).second) {
    found_.helpers.push_back(helper);
  }
}

void Search::add_others(Others others) noexcept { found_.others = std::max(found_.others, others); }

// Where nobody at all is seen who could help, one of those who may not be looked at may be there to do so.
void Search::judge_closed() {
  if (all_.closed_processes == 0 || found_.outside != Outside::nobody || !by_descriptor_) {
    return;
  }
  if (found_.helpers.empty() && for_strangers_) {
    found_.outside = Outside::unseen;
  }
  add_others(Others::closed);
}

bool Search::wants_reader() const noexcept {
  return wait_.need == Need::room || (wait_.need == Need::peer && wait_.sends);
}

// A zombie does nothing more.
bool Search::has_ended(pid_t pid) const {
  const Process* process = all_.process(pid);
  return process != nullptr && process->state == 'Z';
}

// Whether no thread of the process waits for anything that others see.
bool Search::waits_for_itself_alone() const {
  const auto own = std::ranges::equal_range(all_.waits, wait_.pid, {}, &Wait::pid);
  return std::ranges::all_of(own, [](const Wait& one) { return one.objects.empty(); });
}

// A loop that looks around now and then is no deadlock; a lock that comes back to nobody is one, with a deadline too. A
// semaphore is such a lock where a dead process had it.
bool Search::ends_itself() const {
  const auto at_semaphore = [&](std::size_t at) { return is_semaphore(all_.objects[at]); };
  const bool taken = std::ranges::any_of(found_.helpers, &Rescuer::ended);
  const bool given = !wait_.objects.empty() && !taken && std::ranges::all_of(wait_.objects, at_semaphore);
  return wait_.gives_up &&
         (given || wait_.need == Need::message || wait_.need == Need::signal || wait_.need == Need::peer);
}

// The other end is its own, as of the pipe that wakes an event loop: a handler writes there.
bool Search::is_signalled() const {
  constexpr std::array usual = {SIGINT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, 32, 33};
  const Process* self = all_.process(wait_.pid);
  std::uint64_t handled = self == nullptr ? 0 : self->handled;
  for (const int signal : usual) {
    handled &= ~(std::uint64_t{1} << (signal - 1));
  }
  return has_other_end_ && handled != 0;
}

}  // namespace tenon::inspect
