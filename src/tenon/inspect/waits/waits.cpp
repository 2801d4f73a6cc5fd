#include <tenon/inspect/waits/waits.hpp>

#include <tenon/inspect/waits/carriers.hpp>
#include <tenon/inspect/waits/lock_owners.hpp>
#include <tenon/inspect/waits/system_call.hpp>
#include <tenon/inspect/waits/wait_scene.hpp>

#include <algorithm>
#include <array>

namespace tenon::inspect {

namespace {

struct Reader {
  Subject subject;
  bool (*read)(WaitScene&, const Sleeper&, Wait&);
};

bool read_hidden_wait(WaitScene& /*scene*/, const Sleeper& /*sleeper*/, Wait& wait) {
  wait.unseen = "the kernel does not show what " + wait.call + " waits for";
  return true;
}

constexpr std::array readers = {
    Reader{Subject::descriptor, read_descriptor_wait},
    Reader{Subject::path, read_path_wait},
    Reader{Subject::address, read_address_wait},
    Reader{Subject::queue, read_queue_wait},
    Reader{Subject::set, read_set_wait},
    Reader{Subject::word, read_word_wait},
    Reader{Subject::words, read_words_wait},
    Reader{Subject::file_lock, read_file_lock_wait},
    Reader{Subject::descriptors, read_poll_wait},
    Reader{Subject::masks, read_select_wait},
    Reader{Subject::epoll, read_epoll_wait},
    Reader{Subject::child, read_child_wait},
    Reader{Subject::hidden, read_hidden_wait},
};

// Tenon's own patterns write down themselves who waits, and for what: that is more than the kernel knows.
bool is_told(const Snapshot& all, const Wait& found) {
  return std::ranges::any_of(all.waits, [&](const Wait& wait) {
    return wait.pid == found.pid &&
           (wait.thread == found.thread || (wait.thread == 0 && found.call.starts_with("futex")));
  });
}

// The table of file locks tells which process is blocked, not whether it has slept all the while.
std::vector<Wait> take_file_locks(Snapshot& all) {
  std::vector<Wait> taken;
  for (const Wait& wait : all.waits) {
    if (wait.thread == 0 && (wait.call == "flock" || wait.call == "fcntl")) {
      taken.push_back(wait);
    }
  }
  std::erase_if(all.waits,
                [](const Wait& wait) { return wait.thread == 0 && (wait.call == "flock" || wait.call == "fcntl"); });
  return taken;
}

// Of several locks on a file, it says which.
void make_exact(Wait& wait, const std::vector<Wait>& file_locks) {
  const auto known =
      std::ranges::find_if(file_locks, [&](const Wait& one) { return one.pid == wait.pid && one.call == wait.call; });
  if (known != file_locks.end()) {
    wait.objects = known->objects;
    wait.unseen.clear();
  }
}

}  // namespace

const AddressSpace* WaitScene::memory(pid_t pid) {
  const auto [place, added] = memories_.try_emplace(pid);
  if (added) {
    if (auto space = AddressSpace::of(pid)) {
      place->second = std::move(*space);
    }
  }
  return place->second ? &*place->second : nullptr;
}

std::optional<std::size_t> WaitScene::find(Kind kind, FileId file) const noexcept {
  const auto found =
      std::ranges::find_if(all_.objects, [&](const Object& one) { return one.kind == kind && one.file == file; });
  return found == all_.objects.end() ? std::nullopt
                                     : std::optional(static_cast<std::size_t>(found - all_.objects.begin()));
}

std::optional<std::size_t> WaitScene::find(Kind kind, int id) const noexcept {
  const auto found =
      std::ranges::find_if(all_.objects, [&](const Object& one) { return one.kind == kind && one.id == id; });
  return found == all_.objects.end() ? std::nullopt
                                     : std::optional(static_cast<std::size_t>(found - all_.objects.begin()));
}

void add_object(Wait& wait, std::size_t object) {
  if (std::ranges::find(wait.objects, object) == wait.objects.end()) {
    wait.objects.push_back(object);
  }
}

void add_waits(const Sleepers& sleepers, Snapshot& into) {
  into.closed_processes = sleepers.closed;
  WaitScene scene(into);
  const std::vector<Wait> file_locks = take_file_locks(into);
  std::vector<Wait> found;
  std::vector<std::pair<const Sleeper*, std::size_t>> read;
  for (const Sleeper& sleeper : sleepers.all) {
    const SystemCall* what = system_call(sleeper.call.number);
    if (what == nullptr) {
      continue;
    }
    Wait wait{.pid = sleeper.pid,
              .thread = sleeper.thread,
              .call = what->name,
              .need = what->need,
              .objects = {},
              .since = {}};
    wait.gives_up = gives_up(*what, sleeper.call);
    wait.sends = what->need == Need::room;
    const auto reader = std::ranges::find(readers, what->subject, &Reader::subject);
    if (!is_told(into, wait) && reader->read(scene, sleeper, wait)) {
      make_exact(wait, file_locks);
      found.push_back(std::move(wait));
      read.emplace_back(&sleeper, found.size() - 1);
    }
  }
  add_carriers(into, found);
  add_lock_owners(scene, sleepers, found);
  // What was read counts only if nobody has been woken meanwhile.
  for (const auto& [sleeper, place] : read) {
    Wait& wait = found[place];
    const bool rechecks = !wait.objects.empty() && is_pattern(into.objects[wait.objects.front()].kind);
    if (rechecks ? is_asleep_again(*sleeper) : is_still_asleep(*sleeper)) {
      wait.since = rechecks ? std::nullopt : asleep_since(*sleeper);
      into.waits.push_back(std::move(wait));
    }
  }
}

}  // namespace tenon::inspect
