#include <tenon/messaging/stream/stream_meeting.hpp>

#include <tenon/messaging/stream/stream_bell.hpp>
#include <tenon/os/backoff.hpp>
#include <tenon/os/futex.hpp>

#include <chrono>

namespace tenon {

namespace {

// Who is called may be about to sleep on a word that only itself may write: a call that comes in between is lost. So
// who comes calls a few times more, and looks as often.
constexpr int calls = 16;
constexpr std::chrono::milliseconds between_calls{1};

bool has_closed(const StreamState& state) noexcept {
  return (state.wish.load(std::memory_order_acquire) & stream_closed) != 0;  // B4
}

}  // namespace

Result<StreamMeeting::Pair> StreamMeeting::meet(const Holder& holder, std::string_view stream, StreamRole role,
                                                const StreamShape& shape, Deadline deadline) {
  auto other_name = StreamFileName::make(opposite(role), stream);
  const auto name = StreamFileName::make(role, stream);
  if (!name || !other_name) {
    return fail(Error(name ? other_name.error() : name.error()));
  }
  return holder.may_share(holder.domain_id())
      .and_then([&] { return claim(holder, *name, shape, deadline); })
      .and_then([&](OwnStreamFile own) -> Result<Pair> {
        StreamMeeting meeting(holder, std::move(*other_name), role, std::move(own));
        if (auto met = meeting.wait_for_other(deadline); !met) {
          meeting.give_up();
          return fail(std::move(met.error()).on(stream));
        }
        return Pair{.own = std::move(meeting.own_), .other = std::move(*meeting.other_)};
      });
}

// Its own file, whose name is the place that it takes.
Result<OwnStreamFile> StreamMeeting::claim(const Holder& holder, const StreamFileName& name, const StreamShape& shape,
                                           Deadline deadline) {
  Backoff backoff(deadline);
  while (true) {
    auto own = OwnStreamFile::create(holder, name, shape);
    if (!own.failed_with(Errc::already_exists)) {
      return own;
    }
    if (auto way = make_way(holder, name); !way) {
      if (!way.failed_with(Errc::would_block)) {
        return fail(std::move(way.error()));
      }
      if (auto slept = backoff.sleep(); !slept) {
        return fail(std::move(slept.error()).on(name.text));
      }
    }
  }
}

// Takes away what a dead one has left. Outcomes: already_exists; would_block (it is on its way out).
Result<void> StreamMeeting::make_way(const Holder& holder, const StreamFileName& name) {
  const auto there = OtherStreamFile::open(holder.domain(), name);
  if (!there) {
    return there.failed_with(Errc::not_found) ? Result<void>() : fail(Error(there.error()));
  }
  const auto died = Deaths(holder).took(Token::from(there->header().life));
  if (!died) {
    return fail(Error(died.error()));
  }
  if (*died) {
    return there->remove_name(holder.domain().directory());
  }
  if (has_closed(there->state())) {
    return fail(Errc::would_block);
  }
  return fail(Error(Errc::already_exists, "Stream::open")
                  .on(name.text)
                  .because("process " + std::to_string(there->header().pid) + " has this end"));
}

Result<void> StreamMeeting::wait_for_other(Deadline deadline) {
  for (int turn = 0;; ++turn) {
    const auto met = look(turn < calls);
    if (!met || *met) {
      return met ? Result<void>() : fail(Error(met.error()));
    }
    if (!own_.has_name()) {
      return fail(Error(Errc::not_found, "Stream::open").because("its file was removed from outside"));
    }
    if (auto slept = sleep(turn, deadline); !slept) {
      const auto last = look(false);
      return last && *last ? Result<void>() : std::move(slept);
    }
  }
}

// Whether they have met.
Result<bool> StreamMeeting::look(bool greets) {
  told_ = own_.state().bell.load(std::memory_order_relaxed);  // own word: it tells nothing, and others wake by it
  const bool is_new = !other_;
  if (is_new) {
    if (auto found = find_other(); !found || !*found) {
      return found;
    }
  }
  told_ = other_->state().bell.load(std::memory_order_acquire);  // M3
  if (is_new && role_ == StreamRole::reader) {
    ask();
  }
  auto met = judge();
  if (met && !*met && other_ && (is_new || greets)) {
    greet();
  }
  return met;
}

Result<bool> StreamMeeting::find_other() {
  auto opened = OtherStreamFile::open(holder_.domain(), other_name_);
  if (!opened) {
    return opened.failed_with(Errc::not_found) ? Result<bool>(false) : fail(std::move(opened.error()));
  }
  other_.emplace(std::move(*opened));
  return true;
}

Result<bool> StreamMeeting::judge() {
  // Asked before: who is gone has said yes by then, or never will.
  const auto died = deaths_.took(Token::from(other_->header().life));
  if (!died) {
    return fail(Error(died.error()));
  }
  const bool is_gone = *died || has_closed(other_->state());
  if (is_chosen() && (role_ == StreamRole::reader || !is_gone)) {
    if (role_ == StreamRole::writer) {
      accept();
    }
    return true;
  }
  if (*died) {
    if (auto removed = other_->remove_name(holder_.domain().directory()); !removed) {
      return fail(std::move(removed.error()));
    }
  }
  if (is_gone) {
    other_.reset();
    told_ = own_.state().bell.load(std::memory_order_relaxed);  // own word
  }
  return false;
}

bool StreamMeeting::is_chosen() const noexcept {
  return other_->state().peer.load(std::memory_order_acquire) == own_.header().token;  // M1, M2
}

void StreamMeeting::ask() noexcept {
  StreamState& state = own_.state();
  state.index.store(other_->header().first, std::memory_order_relaxed);  // M1, by the store that follows
  state.peer.store(other_->header().token, std::memory_order_release);   // M1
}

void StreamMeeting::accept() noexcept {
  own_.state().peer.store(other_->header().token, std::memory_order_release);  // M2
  greet();
}

// Wakes the other, whether it sleeps on this end's bell or still on its own.
void StreamMeeting::greet() noexcept {
  std::atomic<std::uint32_t>& bell = own_.state().bell;
  const std::uint32_t count = bell.load(std::memory_order_relaxed);  // own count
  bell.store(count + 1, std::memory_order_release);                  // M3
  futex_wake_all(bell);
  futex_wake_all(other_->state().bell);
}

void StreamMeeting::give_up() noexcept {
  own_.state().wish.store(stream_closed, std::memory_order_release);  // B4
  if (other_) {
    greet();
  }
  own_.remove_name(holder_.domain().directory());
}

Result<void> StreamMeeting::sleep(int turn, Deadline deadline) const {
  const std::atomic<std::uint32_t>& bell = other_ ? other_->state().bell : own_.state().bell;
  if (turn >= calls) {
    return futex_wait(bell, told_, deadline);
  }
  auto slept = futex_wait(bell, told_, deadline.or_sooner(after(between_calls)));
  return slept.failed_with(Errc::timed_out) && !deadline.passed() ? Result<void>() : std::move(slept);
}

}  // namespace tenon
