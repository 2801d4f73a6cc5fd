/// Who could help at locks, at System V objects, and at Tenon's own.
#include <tenon/inspect/why/search.hpp>

#include <algorithm>

namespace tenon::inspect {

namespace {

// Whether the last to operate on a set may have set its values alone, as who makes it does.
bool may_be_set_alone(const Object& set) {
  const auto operated =
      std::ranges::find_if(set.times, [](const Moment& one) { return std::string_view(one.name) == "operated"; });
  return operated == set.times.end() || set.changed.value_or(0) > operated->at;
}

}  // namespace

// The kernel remembers one process for each direction. Others may use it whom nobody can see.
void Search::add_of_sysv_queue(std::size_t at) {
  const bool room = wants_reader();
  for (const Edge& edge : all_.edges_of(at)) {
    const bool fits = edge.relation == (room ? Relation::last_received : Relation::last_sent);
    if (fits && edge.pid != wait_.pid && (room || !edge.ended)) {
      add({.pid = edge.pid, .role = room ? Role::reader : Role::writer, .object = at, .ended = edge.ended});
      add_others(Others::unlisted);
      found_.is_owed = found_.is_owed || room;
      return;
    }
  }
  found_.outside = Outside::comers;
}

// A semaphore that is zero was taken by the last to operate on it. That one may be a consumer as well as who has it for
// a lock.
void Search::add_of_set(std::size_t at) {
  const Object& set = all_.objects[at];
  const SemaphoreOfSet* semaphore =
      wait_.semaphore && *wait_.semaphore < set.set.size() ? &set.set[*wait_.semaphore] : nullptr;
  const bool taken = semaphore != nullptr && semaphore->value == 0 && !may_be_set_alone(set);
  for (const Edge& edge : taken ? all_.edges_of(at) : std::span<const Edge>()) {
    if (edge.relation == Relation::last_operated && edge.pid == semaphore->last && edge.pid != wait_.pid) {
      add({.pid = edge.pid, .role = Role::last, .object = at, .ended = edge.ended});
      add_others(Others::unlisted);
      found_.is_owed = true;
      return;
    }
  }
  found_.outside = Outside::comers;
}

void Search::add_of_lock(std::size_t at) {
  const Object& lock = all_.objects[at];
  const auto owns = [](const Edge& edge) { return edge.relation == Relation::owns; };
  const bool owned = wait_.lock.owner != 0 || std::ranges::any_of(all_.edges_of(at), owns);
  if (owned) {
    found_.needs_all = lock.state.contains("read-write lock") || lock.state == "barrier";
    add_owners(at);
  } else if (wait_.lock.must_leave == 0 || lock.state != "condition variable, wedged") {
    add_users(at);
  }
}

// It goes with its owner: one that has ended since it was read has given it back. A process is never kept out by its
// own POSIX locks, nor by what the descriptor has that it asks through. Those of one open file description may be given
// back by each who has that.
void Search::add_of_file_lock(std::size_t at) {
  const auto& lock = all_.objects[at].lock;
  const bool posix = lock && lock->family == FileLock::Family::posix;
  for (const Edge& edge : all_.edges_of(at)) {
    const bool gone = edge.ended || has_ended(edge.pid);
    if (edge.relation == Relation::owns && !gone && !(edge.pid == wait_.pid && (posix || wait_.carries))) {
      found_.helpers.push_back({.pid = edge.pid, .role = Role::owner, .thread = edge.thread, .object = at});
    }
  }
  const bool several = found_.helpers.size() > 1 && lock && !lock->writes;
  found_.needs_all = several;
  found_.is_owed = true;
  by_descriptor_ = by_descriptor_ || !posix;
  if (several && !posix) {
    add_others(Others::joint);
  }
  if (found_.helpers.empty()) {
    found_.outside = Outside::unseen;
  }
}

// What has lost its name gets no new users, nor does memory that never had one.
bool Search::can_get_users(const Object& object) const {
  const auto nameless = [&](const Object& one) {
    return one.file == object.file && (one.kind == Kind::memfd || one.state.contains("unlinked"));
  };
  return !object.name.contains("anonymous memory") && std::ranges::none_of(all_.objects, nameless);
}

void Search::add_users(std::size_t at) {
  const Object& object = all_.objects[at];
  const std::size_t before = found_.helpers.size();
  for (const Edge& edge : all_.edges_of(at)) {
    const bool reads_alone = edge.reads && !edge.writes;
    if ((edge.relation == Relation::maps || edge.relation == Relation::holds) && !edge.ended && !reads_alone) {
      add({.pid = edge.pid, .role = Role::user, .object = at});
    }
  }
  by_descriptor_ = true;
  if (!can_get_users(object)) {
    return;
  }
  if (found_.helpers.size() > before) {
    add_others(Others::by_name);
  } else {
    found_.outside = Outside::comers;
  }
}

// What a dead process had of a semaphore or a barrier of Tenon's own is taken back at the next look of those who wait.
void Search::add_owners(std::size_t at) {
  const std::size_t before = found_.helpers.size();
  const std::string& state = all_.objects[at].state;
  const bool taken_back = state == "semaphore" || state == "barrier";
  bool left_out = false;
  for (const Edge& edge : all_.edges_of(at)) {
    const bool claimed = wait_.lock.owner == 0 || edge.thread == wait_.lock.owner;
    if (edge.relation != Relation::owns || !claimed) {
      continue;
    }
    if (taken_back && (edge.ended || has_ended(edge.pid))) {
      left_out = true;
    } else {
      found_.helpers.push_back(
          {.pid = edge.pid, .role = Role::owner, .thread = edge.thread, .object = at, .ended = edge.ended});
    }
  }
  found_.is_owed = true;
  if (found_.helpers.size() == before) {
    found_.outside = left_out ? Outside::itself : Outside::unseen;
  }
}

// Who sends alone waits for those who receive: for room, for an answer, for somebody to open the other end. Members of
// a queue may do both.
Search::Part Search::part_in(std::size_t at) const {
  const auto takes_part = [&](Relation relation) {
    return std::ranges::any_of(all_.edges_of(at), [&](const Edge& edge) {
      return edge.pid == wait_.pid && edge.relation == relation && !edge.ended;
    });
  };
  const Kind kind = all_.objects[at].kind;
  if (wait_.need == Need::lock) {
    return {.helpers = Relation::owns, .role = Role::owner, .serves = false};
  }
  if (wait_.need == Need::room || (takes_part(Relation::sends_to) && !takes_part(Relation::receives_from))) {
    return {.helpers = kind == Kind::queue ? Relation::holds : Relation::receives_from,
            .role = kind == Kind::service ? Role::server : Role::reader,
            .serves = false};
  }
  return {.helpers = kind == Kind::queue ? Relation::holds : Relation::sends_to, .role = Role::writer, .serves = true};
}

void Search::add_of_pattern(std::size_t at) {
  const auto edges = all_.edges_of(at);
  const Part part = part_in(at);
  const bool someone_lags =
      wait_.need == Need::room && std::ranges::any_of(edges, [](const Edge& edge) {
        return edge.relation == Relation::receives_from && !edge.ended && edge.messages.value_or(0) > 0;
      });
  const std::size_t before = found_.helpers.size();
  const bool has_other_end = has_other_end_;
  for (const Edge& edge : edges) {
    // The dead hold nothing back. Where somebody is known to be behind, the others do not either.
    const bool ready = someone_lags && edge.messages.value_or(0) == 0;
    if (edge.relation == part.helpers && (part.helpers == Relation::owns || (!edge.ended && !ready))) {
      add({.pid = edge.pid, .role = part.role, .object = at, .ended = edge.ended});
    }
  }
  has_other_end_ = has_other_end;  // no handler of a signal takes part in any of them
  found_.is_owed = found_.is_owed || !part.serves;
  if (found_.helpers.size() == before) {
    found_.outside = Outside::comers;
  } else if (part.serves) {
    add_others(Others::by_name);
  }
}

}  // namespace tenon::inspect
