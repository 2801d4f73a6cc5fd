#include <tenon/inspect/why/rescue.hpp>

#include <algorithm>
#include <array>
#include <csignal>

namespace tenon::inspect {

namespace {

// Where an object has users besides the one who waits, they are who could help; where it has none, whoever comes.
class Search {
 public:
  Search(const Snapshot& all, const Wait& wait) noexcept : all_(all), wait_(wait) {}

  Rescue run() {
    add_by_call();
    for (const std::size_t object : wait_.objects) {
      add_by_object(object);
    }
    if (!wait_.unseen.empty()) {
      found_.outside = Outside::unseen;
    } else if (wait_.elsewhere) {
      found_.outside = Outside::elsewhere;
    } else if (found_.outside == Outside::nobody && (ends_itself() || is_signalled())) {
      found_.outside = Outside::itself;
    }
    return std::move(found_);
  }

 private:
  void add_by_call() {
    for (const pid_t child : wait_.processes) {
      found_.helpers.push_back({.pid = child, .role = Role::child, .ended = all_.process(child) == nullptr});
    }
    // A lock that no other process sees: one of its own threads.
    if (wait_.objects.empty() && wait_.call.starts_with("futex")) {
      const bool owned = wait_.lock.owner != 0;
      found_.helpers.push_back({.pid = wait_.pid,
                                .role = owned ? Role::owner : Role::sibling,
                                .thread = wait_.lock.owner,
                                .ended = owned && wait_.lock.owner_died});
      // As the main thread of a daemon that waits for a signal to end.
      if (!owned && waits_for_itself_alone()) {
        found_.outside = Outside::itself;
      }
    }
  }

  // Whether no thread of the process waits for anything that others see.
  bool waits_for_itself_alone() const {
    const auto own = std::ranges::equal_range(all_.waits, wait_.pid, {}, &Wait::pid);
    return std::ranges::all_of(own, [](const Wait& one) { return one.objects.empty(); });
  }

  void add_by_object(std::size_t at) {
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
        return add_owners(at);
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

  // Pipes, FIFOs, POSIX queues, eventfds: who has them open for the other direction.
  void add_of_open(std::size_t at) {
    const Object& object = all_.objects[at];
    const bool to_read = wait_.need == Need::room || (wait_.need == Need::peer && wait_.sends);
    const std::size_t before = found_.helpers.size();
    for (const Edge& edge : all_.edges_of(at)) {
      const bool able = to_read ? edge.reads : edge.writes;
      const bool seen = edge.reads || edge.writes;
      if (edge.relation == Relation::holds && !edge.ended && (able || !seen)) {
        add({.pid = edge.pid, .role = to_read ? Role::reader : Role::writer, .object = at});
      }
    }
    const bool has_name = (object.kind == Kind::fifo || object.kind == Kind::posix_queue) && object.state != "unlinked";
    if (found_.helpers.size() == before && has_name && !to_read) {
      found_.outside = Outside::comers;
    } else if (found_.helpers.size() == before && object.kind == Kind::pipe && !has_other_end_) {
      add_carriers(at);
    }
  }

  // Each socket is read by those who have it, and written by those who have its peer.
  void add_of_socket(std::size_t at) {
    const Object& object = all_.objects[at];
    const bool listens = object.socket && object.socket->state == SocketState::listening;
    if (wait_.need == Need::peer && wait_.sends) {
      return add_holders(at, at, Role::acceptor);
    }
    if (object.socket && object.socket->peer_object) {
      const std::size_t before = found_.helpers.size();
      add_holders(*object.socket->peer_object, at, wait_.need == Need::room ? Role::reader : Role::writer);
      return found_.helpers.size() == before && !has_other_end_ ? add_carriers(at) : void();
    }
    if (wait_.sends && wait_.call == "sendto") {
      return add_holders(at, at, Role::reader);
    }
    found_.outside = listens || !object.name.starts_with("socket:") ? Outside::comers : Outside::unseen;
  }

  // Somebody has the other end, else the kernel would have told of that: one who may not be looked at, or nobody yet,
  // since it is on its way through a socket.
  void add_carriers(std::size_t at) {
    const std::size_t before = found_.helpers.size();
    for (std::size_t i = 0; i < all_.objects.size(); ++i) {
      if (all_.objects[i].figure("descriptors_in_flight").value_or(0) > 0) {
        add_holders(i, at, Role::carrier);
      }
    }
    if (found_.helpers.size() == before && all_.closed_processes > 0) {
      found_.outside = Outside::unseen;
    }
  }

  void add_holders(std::size_t held, std::size_t object, Role role) {
    for (const Edge& edge : all_.edges_of(held)) {
      if (edge.relation == Relation::holds && !edge.ended) {
        add({.pid = edge.pid, .role = role, .object = object});
      }
    }
  }

  // The kernel remembers one process for each direction. Others may use it whom nobody can see.
  void add_of_sysv_queue(std::size_t at) {
    const bool room = wait_.need == Need::room;
    for (const Edge& edge : all_.edges_of(at)) {
      const bool fits = edge.relation == (room ? Relation::last_received : Relation::last_sent);
      if (fits && edge.pid != wait_.pid && (room || !edge.ended)) {
        add({.pid = edge.pid, .role = room ? Role::reader : Role::writer, .object = at, .ended = edge.ended});
        return;
      }
    }
    found_.outside = Outside::comers;
  }

  void add_of_set(std::size_t at) {
    const Object& set = all_.objects[at];
    const bool known = wait_.semaphore && *wait_.semaphore < set.set.size();
    const pid_t last = known ? set.set[*wait_.semaphore].last : 0;
    for (const Edge& edge : all_.edges_of(at)) {
      if (edge.relation == Relation::last_operated && edge.pid == last && last != wait_.pid) {
        add({.pid = last, .role = Role::last, .object = at, .ended = edge.ended});
        return;
      }
    }
    found_.outside = Outside::comers;
  }

  void add_of_lock(std::size_t at) {
    if (wait_.lock.owner != 0) {
      add_owners(at);
    } else if (wait_.lock.must_leave == 0 || all_.objects[at].state != "condition variable, wedged") {
      add_users(at);
    }
  }

  // What has lost its name gets no new users, nor does memory that never had one.
  bool can_get_users(const Object& object) const {
    const auto nameless = [&](const Object& one) {
      return one.file == object.file && (one.kind == Kind::memfd || one.state.contains("unlinked"));
    };
    return !object.name.contains("anonymous memory") && std::ranges::none_of(all_.objects, nameless);
  }

  void add_users(std::size_t at) {
    const Object& object = all_.objects[at];
    const std::size_t before = found_.helpers.size();
    for (const Edge& edge : all_.edges_of(at)) {
      const bool reads_alone = edge.reads && !edge.writes;
      if ((edge.relation == Relation::maps || edge.relation == Relation::holds) && !edge.ended && !reads_alone) {
        add({.pid = edge.pid, .role = Role::user, .object = at});
      }
    }
    if (found_.helpers.size() == before && can_get_users(object)) {
      found_.outside = Outside::comers;
    }
  }

  void add_owners(std::size_t at) {
    bool any = false;
    for (const Edge& edge : all_.edges_of(at)) {
      const bool claimed = wait_.lock.owner == 0 || edge.thread == wait_.lock.owner;
      if (edge.relation == Relation::owns && claimed) {
        any = true;
        found_.helpers.push_back(
            {.pid = edge.pid, .role = Role::owner, .thread = edge.thread, .object = at, .ended = edge.ended});
      }
    }
    if (!any) {
      found_.outside = Outside::unseen;
    }
  }

  void add_of_pattern(std::size_t at) {
    const std::size_t before = found_.helpers.size();
    const Relation wanted = wait_.need == Need::room   ? Relation::receives_from
                            : wait_.need == Need::lock ? Relation::owns
                                                       : Relation::sends_to;
    const bool someone_lags =
        wanted == Relation::receives_from && std::ranges::any_of(all_.edges_of(at), [](const Edge& edge) {
          return edge.relation == Relation::receives_from && !edge.ended && edge.messages.value_or(0) > 0;
        });
    for (const Edge& edge : all_.edges_of(at)) {
      // The dead hold nothing back. Where somebody is known to be behind, the others do not either.
      const bool ready = someone_lags && edge.messages.value_or(0) == 0;
      const bool counts = wanted == Relation::owns || (!edge.ended && !ready);
      if (edge.relation == wanted && counts) {
        const Role role = wait_.need == Need::room   ? Role::reader
                          : wait_.need == Need::lock ? Role::owner
                                                     : Role::writer;
        add({.pid = edge.pid, .role = role, .object = at, .ended = edge.ended});
      }
    }
    if (found_.helpers.size() == before) {
      found_.outside = Outside::comers;
    }
  }

  // A zombie does nothing more.
  bool has_ended(pid_t pid) const {
    const Process* process = all_.process(pid);
    return process != nullptr && process->state == 'Z';
  }

  // Each once. Who waits is one who could help only if it has another thread.
  void add(Rescuer helper) {
    helper.ended = helper.ended || has_ended(helper.pid);
    const Process* self = all_.process(wait_.pid);
    if (helper.pid == wait_.pid) {
      has_other_end_ = true;
      if (self != nullptr && self->threads == 1) {
        return;
      }
    }
    const bool known = std::ranges::any_of(found_.helpers, [&](const Rescuer& one) {
      return one.pid == helper.pid && one.object == helper.object && one.role == helper.role;
    });
    if (!known) {
      found_.helpers.push_back(helper);
    }
  }

  // A loop that looks around now and then is no deadlock; a lock that comes back to nobody is one, with a deadline too.
  bool ends_itself() const {
    return wait_.gives_up && (wait_.need == Need::message || wait_.need == Need::signal || wait_.need == Need::peer);
  }

  // The other end is its own, as of the pipe that wakes an event loop: a handler writes there.
  bool is_signalled() const {
    constexpr std::array usual = {SIGINT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, 32, 33};
    const Process* self = all_.process(wait_.pid);
    std::uint64_t handled = self == nullptr ? 0 : self->handled;
    for (const int signal : usual) {
      handled &= ~(std::uint64_t{1} << (signal - 1));
    }
    return has_other_end_ && handled != 0;
  }

  const Snapshot& all_;
  const Wait& wait_;
  Rescue found_;
  bool has_other_end_ = false;
};

struct RoleName {
  Role role;
  std::string_view name;
};
constexpr std::array role_names = {
    RoleName{Role::writer, "writer"},   RoleName{Role::reader, "reader"}, RoleName{Role::acceptor, "acceptor"},
    RoleName{Role::owner, "owner"},     RoleName{Role::user, "user"},     RoleName{Role::last, "last"},
    RoleName{Role::carrier, "carrier"}, RoleName{Role::child, "child"},   RoleName{Role::sibling, "sibling"},
};

}  // namespace

std::string_view name_of(Role role) noexcept { return std::ranges::find(role_names, role, &RoleName::role)->name; }

Rescue rescue_of(const Snapshot& all, const Wait& wait) { return Search(all, wait).run(); }

}  // namespace tenon::inspect
