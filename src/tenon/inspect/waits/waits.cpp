#include <tenon/inspect/waits/waits.hpp>

#include <tenon/inspect/waits/carriers.hpp>
#include <tenon/inspect/waits/lock_owners.hpp>
#include <tenon/inspect/waits/system_call.hpp>
#include <tenon/inspect/waits/wait_scene.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>

#include <algorithm>
#include <array>
#include <iterator>

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

bool is_of_file_lock(const Wait& wait) { return wait.thread == 0 && (wait.call == "flock" || wait.call == "fcntl"); }

bool is_record(const Snapshot& all, const Wait& wait) {
  return wait.thread == 0 && !wait.objects.empty() && is_pattern(all.objects[wait.objects.front()].kind);
}

// Tenon's own patterns write down who waits, for what, and since when: that is more than the kernel knows, but for the
// thread. Of a thread whose memory may not be read it is not known whether it sleeps at the same thing: then it does.
Wait* record_of(Snapshot& all, const Wait& found) {
  const auto fits = [&](const Wait& one) {
    const bool same = found.objects.empty()
                          ? !found.unseen.empty() && found.call.starts_with("futex")
                          : std::ranges::find(found.objects, one.objects.front()) != found.objects.end();
    return one.pid == found.pid && is_record(all, one) && same;
  };
  const auto record = std::ranges::find_if(all.waits, fits);
  return record == all.waits.end() ? nullptr : &*record;
}

// Whether it may have woken between the looks by itself, found nothing new, and gone to sleep on the same word with the
// same value in it: as all of Tenon's own do each recheck_interval.
bool looks_around(const Snapshot& all, const Wait& wait) {
  const bool pattern = !wait.objects.empty() && is_pattern(all.objects[wait.objects.front()].kind);
  return pattern || (wait.gives_up && wait.call.starts_with("futex"));
}

// Who looks around now and then has waited longer than it has slept; who has slept longer than that does not.
std::optional<std::int64_t> since_of(const Sleeper& sleeper, bool may_have_looked) {
  constexpr std::int64_t too_long_for_a_look = 4 * std::chrono::nanoseconds(recheck_interval).count();
  const auto since = asleep_since(sleeper);
  const bool short_sleep = since && monotonic_now() - *since < too_long_for_a_look;
  return may_have_looked && short_sleep ? std::nullopt : since;
}

}  // namespace

// The table tells which process is blocked, not whether it has slept all the while.
WaitScene::WaitScene(Snapshot& all, std::vector<std::string> domains, std::vector<Kind> kinds)
    : all_(all), members_(std::move(domains)), kinds_(std::move(kinds)) {
  std::ranges::copy_if(all.waits, std::back_inserter(file_locks_), is_of_file_lock);
  std::erase_if(all.waits, is_of_file_lock);
}

bool WaitScene::lists(Kind kind) const noexcept {
  return kinds_.empty() || std::ranges::find(kinds_, kind) != kinds_.end();
}

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

void add_waits(const Sleepers& sleepers, std::vector<std::string> domains, std::vector<Kind> kinds, Snapshot& into) {
  into.closed_processes = sleepers.closed;
  WaitScene scene(into, std::move(domains), std::move(kinds));
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
    if (!reader->read(scene, sleeper, wait)) {
      continue;
    }
    if (Wait* record = record_of(into, wait)) {
      record->thread = sleeper.thread;
    } else {
      found.push_back(std::move(wait));
      read.emplace_back(&sleeper, found.size() - 1);
    }
  }
  add_carriers(into, found);
  add_lock_owners(scene, sleepers, found);
  into.edges.insert(into.edges.end(), scene.owners().begin(), scene.owners().end());
  // What was read counts only if nobody has been woken meanwhile.
  for (const auto& [sleeper, place] : read) {
    Wait& wait = found[place];
    const bool looks = looks_around(into, wait);
    const bool still = is_still_asleep(*sleeper);
    if (still || (looks && is_asleep_again(*sleeper))) {
      wait.since = still ? since_of(*sleeper, looks) : std::nullopt;
      into.waits.push_back(std::move(wait));
    }
  }
}

}  // namespace tenon::inspect
