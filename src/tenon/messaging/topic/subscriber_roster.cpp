#include <tenon/messaging/topic/subscriber_roster.hpp>

#include <algorithm>

namespace tenon {

namespace {

std::string text_of(const SubscriberStanding& standing) { return "pid " + std::to_string(standing.pid); }

}  // namespace

void SubscriberRoster::look_who_is_there() {
  if (!folder_->has_changed() && !blind_) {
    return;
  }
  blind_.reset();
  const auto names = folder_->names();
  if (!names) {
    blind_ = names.error();
    return;
  }
  look_again_at(*names);
  wants_fences_ = std::ranges::any_of(known_, [](const Known& known) { return known.file.header().barred != 0; });
}

// Whose file is gone has left. Who cannot be understood, of another version say, cannot understand this one either, and
// is nobody's concern; who cannot be opened for want of something is.
void SubscriberRoster::look_again_at(const std::vector<EndpointName>& names) {
  std::erase_if(known_, [&](const Known& known) { return std::ranges::find(names, known.file.name()) == names.end(); });
  for (const EndpointName& name : names) {
    const bool is_new = name.kind == EndpointKind::subscriber && !name.unfinished &&
                        std::ranges::none_of(known_, [&](const Known& known) { return known.file.name() == name; });
    if (!is_new) {
      continue;
    }
    auto file = SubscriberFile::open(*folder_, name);
    if (file) {
      known_.push_back({.file = std::move(*file)});
    } else if (file.error() == Errc::limit_reached || file.error() == Errc::no_memory) {
      blind_ = std::move(file.error());
    }
  }
}

void SubscriberRoster::find_row(Known& known) {
  if (known.row && !row_is_of(known.row->row->publisher, publisher_.value())) {
    known.row.reset();
  }
  if (known.row) {
    return;
  }
  known.row = known.file.row_of(publisher_);
  if (!known.row) {
    const auto grown = known.file.follow_growth(*folder_);
    if (grown && *grown) {
      known.row = known.file.row_of(publisher_);
    } else if (!grown && !grown.failed_with(Errc::not_found)) {
      blind_ = grown.error();
    }
  }
}

// Where a subscriber stands, as a scan finds it.
std::uint64_t SubscriberRoster::stand_of(Known& known) {
  find_row(known);
  if (known.row) {
    return known.row->row->gate.load(std::memory_order_acquire);  // G2
  }
  known.newcomer = known.newcomer.value_or(gates_.newcomer());
  return *known.newcomer;
}

std::uint64_t SubscriberRoster::scan(std::uint64_t head) {
  head_ = head;
  gates_.begin(head);
  look_who_is_there();
  for (Known& known : known_) {
    if (!known.is_reliable()) {
      continue;
    }
    const std::uint64_t stand = stand_of(known);
    if (!known.evicted) {
      gates_.count(stand);
    } else {
      known.evicted = head - stand > gates_.depth() / 2;  // it has caught up: waited for again
    }
  }
  return blind_ ? head : gates_.limit();
}

std::uint64_t SubscriberRoster::scan_again() {
  gates_.again();
  for (Known& known : known_) {
    if (known.is_reliable() && !known.evicted) {
      gates_.count(stand_of(known));
    }
  }
  return blind_ ? head_ : gates_.limit();
}

bool SubscriberRoster::all_have_received(std::uint64_t head) {
  return !known_.empty() && std::ranges::all_of(known_, [&](Known& known) {
    return static_cast<std::int64_t>(stand_of(known) - head) >= 0;  // one that has ended is beyond all
  });
}

std::optional<std::uint64_t> SubscriberRoster::furthest() {
  std::optional<std::uint64_t> furthest;
  for (Known& known : known_) {
    find_row(known);
    if (known.row) {
      const std::uint64_t gate = known.row->row->gate.load(std::memory_order_acquire);  // G2
      furthest = furthest && static_cast<std::int64_t>(*furthest - gate) > 0 ? *furthest : gate;
    }
  }
  return furthest;
}

// Who is there is looked at behind the fence too: a pin stands in a file, which may be new.
std::span<const std::span<const ChunkPool<>::Pin>> SubscriberRoster::pins() {
  std::atomic_thread_fence(std::memory_order_seq_cst);  // G1, C1: the entries are gone before who holds is looked up
  look_who_is_there();
  pins_.clear();
  for (Known& known : known_) {
    find_row(known);
    if (known.row) {
      pins_.push_back(known.row->pins);
    }
  }
  return pins_;
}

// The others are nobody's concern.
void SubscriberRoster::drop_the_dead(bool chunks_wanted) {
  std::erase_if(known_, [&](const Known& known) {
    const bool concerns = chunks_wanted || (known.is_reliable() && behind(known) >= gates_.depth());
    const bool gone = concerns && census_->is_gone(known.file.name().life);
    if (gone) {
      folder_->remove(known.file.name());
    }
    return gone;
  });
}

bool SubscriberRoster::evict_slowest() noexcept {
  const Known* const found = slowest();
  for (Known& known : known_) {
    if (&known == found) {
      known.evicted = true;
      return true;
    }
  }
  return false;
}

void SubscriberRoster::ring(std::uint32_t told) {
  if (told == 0) {
    return;  // nobody polls yet
  }
  look_who_is_there();
  for (const Known& known : known_) {
    // Of which publisher its socket is to be rung does not matter: it wants to know of all.
    if (known.file.state().told.load(std::memory_order_relaxed) == told) {  // B1, by the same barriers
      ringer_.ring(*folder_, known.file.name().token, known.file.header().head.uid);
    }
  }
}

std::uint64_t SubscriberRoster::behind(const Known& known) const noexcept {
  const std::uint64_t stand = known.row
                                  ? known.row->row->gate.load(std::memory_order_relaxed)  // for people, and the dead
                                  : known.newcomer.value_or(head_);
  const std::uint64_t behind = head_ - stand;
  return static_cast<std::int64_t>(behind) < 0 ? 0 : behind;
}

auto SubscriberRoster::slowest() const noexcept -> const Known* {
  const Known* slowest = nullptr;
  for (const Known& known : known_) {
    const bool counts = known.is_reliable() && !known.evicted && behind(known) <= gates_.depth();
    if (counts && (slowest == nullptr || behind(known) > behind(*slowest))) {
      slowest = &known;
    }
  }
  return slowest;
}

SubscriberStanding SubscriberRoster::standing(const Known& known) const noexcept {
  SubscriberStanding standing{.pid = known.file.header().head.pid,
                              .reliable = known.is_reliable(),
                              .behind = behind(known),
                              .evicted = known.evicted};
  if (known.row) {
    standing.lost = known.row->row->lost.load(std::memory_order_relaxed);  // for people
    standing.held = static_cast<std::uint64_t>(std::ranges::count_if(known.row->pins, [](const auto& pin) {
      return pin.load(std::memory_order_relaxed) != 0;  // for people
    }));
  }
  return standing;
}

std::vector<SubscriberStanding> SubscriberRoster::standings() {
  std::vector<SubscriberStanding> standings;
  for (Known& known : known_) {
    if (known.file.state().joined.load(std::memory_order_acquire) == 0) {  // T2
      continue;
    }
    find_row(known);
    standings.push_back(standing(known));
  }
  return standings;
}

std::string SubscriberRoster::slowest_text() const {
  const Known* const found = slowest();
  return found == nullptr ? "a subscriber is being waited for"
                          : "the slowest subscriber, " + text_of(standing(*found)) + ", is " +
                                std::to_string(behind(*found)) + " messages behind";
}

std::string SubscriberRoster::holders() const {
  std::string holders;
  for (const Known& known : known_) {
    const SubscriberStanding one = standing(known);
    if (one.held != 0) {
      holders += (holders.empty() ? "" : ", ") + text_of(one) + " holds " + std::to_string(one.held);
    }
  }
  return holders;
}

}  // namespace tenon
