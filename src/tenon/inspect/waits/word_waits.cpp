/// Waits for locks in memory, which calls name by an address of their own. futex(2)
#include <tenon/inspect/waits/wait_scene.hpp>

#include <tenon/inspect/kernel/sightings.hpp>
#include <tenon/inspect/waits/lock_word.hpp>
#include <tenon/inspect/waits/tenon_lock.hpp>
#include <tenon/messaging/queue/queue_layout.hpp>
#include <tenon/messaging/stream/stream_layout.hpp>

#include <algorithm>
#include <cstddef>
#include <linux/futex.h>

namespace tenon::inspect {

namespace {

// A semaphore of its own file is that file's object; everything else is a lock at some byte of something.
std::size_t object_at(WaitScene& scene, const AddressSpace::Place& place, const LockWord& word) {
  const auto named = scene.find(Kind::posix_semaphore, place.file);
  if (named) {
    return *named;
  }
  const std::size_t lock = scene.lock_at(place);
  Object& object = scene.all().objects[lock];
  if (object.state.empty()) {
    object.state = name_of(word.kind);
  }
  return lock;
}

// Tenon's own sleep on words in files of a domain: a queue in its own, those of a topic in its directory, an end of a
// stream in that of either.
bool has_file(const Object& pattern, const std::string& path) {
  const auto is_at = [&](std::string_view prefix) {
    const std::string own = pattern.domain + "/" + std::string(prefix) + pattern.name;
    return path == own || path.starts_with(own + "/");
  };
  if (pattern.kind == Kind::stream) {
    return is_at(stream_prefix(StreamRole::writer)) || is_at(stream_prefix(StreamRole::reader));
  }
  return is_at(std::string(name_of(pattern.kind)) + ".");
}

std::optional<std::size_t> pattern_at(const WaitScene& scene, const AddressSpace::Place& place) {
  const auto& objects = scene.all().objects;
  const std::string path = without_mark(place.path);
  const auto found = std::ranges::find_if(objects, [&](const Object& one) {
    return is_pattern(one.kind) && path.starts_with(one.domain + "/") && has_file(one, path);
  });
  return found == objects.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - objects.begin()));
}

// A queue has a word for those who wait for a message, and one for those who wait for room.
std::optional<Need> need_at(const Object& pattern, std::uint64_t offset) {
  const bool queue = pattern.kind == Kind::queue;
  return queue && offset == queue_state_at + offsetof(QueueState, arrived) ? std::optional(Need::message)
         : queue && offset == queue_state_at + offsetof(QueueState, freed) ? std::optional(Need::room)
                                                                           : std::nullopt;
}

// Of other patterns, who takes part on one side alone waits for the other.
void add_pattern(const Snapshot& all, std::size_t pattern, std::uint64_t offset, Wait& wait) {
  const auto takes_part = [&](Relation relation) {
    return std::ranges::any_of(all.edges_of(pattern), [&](const Edge& edge) {
      return edge.pid == wait.pid && edge.relation == relation && !edge.ended;
    });
  };
  const bool sends = takes_part(Relation::sends_to);
  const bool receives = takes_part(Relation::receives_from);
  add_object(wait, pattern);
  if (const auto need = need_at(all.objects[pattern], offset)) {
    wait.need = *need;
  } else if (sends != receives) {
    wait.need = sends ? Need::room : Need::message;
  } else {
    wait.unseen = "whether it waits for a message or for room";
  }
  wait.sends = wait.need == Need::room;
  wait.gives_up = false;  // all of them look around each recheck_interval, whether they have a deadline or not
}

// Who holds it back is an owner of it, with the number of permits: of a semaphore who has those, of a barrier who has
// not arrived.
void add_holder(WaitScene& scene, std::size_t lock, const DomainMember& holder) {
  auto& owners = scene.owners();
  const auto known =
      std::ranges::find_if(owners, [&](const Edge& one) { return one.object == lock && one.pid == holder.pid; });
  if (known != owners.end()) {
    known->messages = known->messages.value_or(0) + 1;
  } else {
    owners.push_back(
        {.object = lock, .pid = holder.pid, .relation = Relation::owns, .ended = holder.ended, .messages = 1});
  }
}

// Those that were added for one who waits are there for the others who do.
void add_holders(WaitScene& scene, std::size_t lock, const TenonLock& what, Wait& wait) {
  const bool told = std::ranges::find(scene.owners(), lock, &Edge::object) != scene.owners().end();
  for (const std::uint64_t token : told ? std::vector<std::uint64_t>() : what.holders) {
    if (const auto holder = scene.members().find(what.domain, token)) {
      add_holder(scene, lock, *holder);
    } else {
      wait.unseen = "who holds it back: a member of another PID namespace, or one that was swept up";
    }
  }
}

bool add_tenon_lock(WaitScene& scene, const AddressSpace& memory, const FutexWait& futex, Wait& wait) {
  const auto lock = futex.shared ? tenon_lock(memory, futex.address) : std::nullopt;
  const auto place = lock && scene.members().knows(lock->domain) ? memory.shared_place(lock->begin) : std::nullopt;
  if (!place) {
    return false;
  }
  const std::size_t at = scene.lock_at(*place);
  scene.all().objects[at].state = lock->kind == TenonLock::Kind::semaphore ? "semaphore" : "barrier";
  add_object(wait, at);
  add_holders(scene, at, *lock, wait);
  wait.need = Need::lock;
  wait.gives_up = false;  // it looks around each recheck_interval, whether it has a deadline or not
  return true;
}

// True if the word is worth telling: it is there, and still what its sleeper found.
bool add_word(WaitScene& scene, const FutexWait& futex, Wait& wait) {
  const AddressSpace* memory = scene.memory(wait.pid);
  if (memory == nullptr) {
    wait.unseen = "which lock, for want of the right to read its memory";
    return true;
  }
  const auto word = lock_word(*memory, futex);
  if (!word) {
    return false;
  }
  if (add_tenon_lock(scene, *memory, futex, wait)) {
    return true;
  }
  const auto place = futex.shared ? memory->shared_place(word->begin) : std::nullopt;
  if (const auto pattern = place && word->kind == LockKind::word ? pattern_at(scene, *place) : std::nullopt) {
    add_pattern(scene.all(), *pattern, place->offset, wait);
    return true;
  }
  if (place) {
    add_object(wait, object_at(scene, *place, *word));
  }
  const bool notified = word->kind == LockKind::condition || word->kind == LockKind::word;
  wait.need = notified ? Need::signal : Need::lock;
  wait.lock = {
      .owner = word->owner, .owner_died = word->owner_died, .must_leave = word->must_leave, .group = word->group};
  return true;
}

}  // namespace

std::string WaitScene::name_of_memory(const AddressSpace::Place& place) const {
  for (const Object& one : all_.objects) {
    const bool is_file = one.file == place.file && one.file != FileId{} && one.kind != Kind::lock;
    if (is_file && (one.kind == Kind::posix_memory || one.kind == Kind::memfd)) {
      return one.name;
    }
    const bool is_segment = one.kind == Kind::sysv_memory && place.path.starts_with("/SYSV");
    if (is_segment && one.id && static_cast<ino_t>(*one.id) == place.file.inode) {
      return "segment " + one.name + " #" + std::to_string(*one.id);
    }
  }
  return place.path.starts_with("/dev/zero") ? "anonymous memory [" + std::to_string(place.file.inode) + "]"
                                             : without_mark(place.path);
}

std::size_t WaitScene::lock_at(const AddressSpace::Place& place) {
  const auto [known, added] = locks_.try_emplace({place.file, place.offset}, all_.objects.size());
  if (added) {
    Object lock{.kind = Kind::lock,
                .name = "lock at byte " + std::to_string(place.offset) + " of " + name_of_memory(place),
                .file = place.file};
    all_.objects.push_back(std::move(lock));
    places_.emplace(known->second, place);
  }
  return known->second;
}

const AddressSpace::Place* WaitScene::place_of(std::size_t lock) const noexcept {
  const auto found = places_.find(lock);
  return found == places_.end() ? nullptr : &found->second;
}

bool read_word_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  const auto futex = futex_wait(sleeper.call);
  return futex && add_word(scene, *futex, wait);
}

// Any of the words ends it. Which of them are locks with an owner cannot be told.
bool read_words_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  const AddressSpace* memory = scene.memory(sleeper.pid);
  wait.need = Need::signal;
  for (std::uint64_t i = 0; memory != nullptr && i < std::min<std::uint64_t>(sleeper.call.arguments[1], 128); ++i) {
    const auto one = memory->value<futex_waitv>(sleeper.call.arguments[0] + i * sizeof(futex_waitv));
    const bool shared = one && (one->flags & FUTEX_PRIVATE_FLAG) == 0;
    const auto place = shared ? memory->shared_place(one->uaddr) : std::nullopt;
    const FutexWait futex{.address = shared ? one->uaddr : 0, .expected = 0, .shared = shared, .inherits = false};
    if (place && add_tenon_lock(scene, *memory, futex, wait)) {
      continue;
    }
    if (const auto pattern = place ? pattern_at(scene, *place) : std::nullopt) {
      add_pattern(scene.all(), *pattern, place->offset, wait);
    } else if (place) {
      add_object(wait, scene.lock_at(*place));
    } else {
      wait.elsewhere = true;
    }
  }
  wait.unseen = memory == nullptr ? "which words it sleeps on" : wait.unseen;
  return true;
}

}  // namespace tenon::inspect
