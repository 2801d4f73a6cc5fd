/// Waits for locks in memory, which calls name by an address of their own. futex(2)
#include <tenon/inspect/waits/wait_scene.hpp>

#include <tenon/inspect/kernel/sightings.hpp>
#include <tenon/inspect/waits/lock_word.hpp>

#include <algorithm>
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

// Tenon's own sleep on words in files of a domain: a queue in its own, those of a topic in its directory.
std::optional<std::size_t> pattern_at(const WaitScene& scene, const AddressSpace::Place& place) {
  const auto& objects = scene.all().objects;
  const auto found = std::ranges::find_if(objects, [&](const Object& one) {
    const std::string own = one.domain + "/" + std::string(name_of(one.kind)) + "." + one.name;
    return is_pattern(one.kind) && !one.domain.empty() && (place.path == own || place.path.starts_with(own + "/"));
  });
  return found == objects.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - objects.begin()));
}

// Who takes part on one side alone waits for the other; of a queue it is known whether senders or receivers sleep.
void add_pattern(const Snapshot& all, std::size_t pattern, Wait& wait) {
  const auto takes_part = [&](Relation relation) {
    return std::ranges::any_of(all.edges_of(pattern), [&](const Edge& edge) {
      return edge.pid == wait.pid && edge.relation == relation && !edge.ended;
    });
  };
  const bool sends = takes_part(Relation::sends_to);
  const bool receives = takes_part(Relation::receives_from);
  const auto& awaited = all.objects[pattern].awaited;
  add_object(wait, pattern);
  if (sends != receives) {
    wait.need = sends ? Need::room : Need::message;
  } else if (awaited.size() == 1) {
    wait.need = awaited.front();
  } else {
    wait.unseen = "whether it waits for a message or for room";
  }
  wait.sends = wait.need == Need::room;
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
  const auto place = futex.shared ? memory->shared_place(word->begin) : std::nullopt;
  if (const auto pattern = place && word->kind == LockKind::word ? pattern_at(scene, *place) : std::nullopt) {
    add_pattern(scene.all(), *pattern, wait);
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
  }
  return known->second;
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
    const auto place = one && (one->flags & FUTEX_PRIVATE_FLAG) == 0 ? memory->shared_place(one->uaddr) : std::nullopt;
    if (place) {
      add_object(wait, scene.lock_at(*place));
    } else {
      wait.elsewhere = true;
    }
  }
  wait.unseen = memory == nullptr ? "which words it sleeps on" : "";
  return true;
}

}  // namespace tenon::inspect
