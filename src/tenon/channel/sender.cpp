#include <tenon/channel/sender.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>

#include <algorithm>

namespace tenon {

namespace {

constexpr auto farewell = std::chrono::seconds(1);
constexpr auto last_word = std::chrono::milliseconds(100);  // for an abort that a full channel may not take
constexpr auto closing_recheck = std::chrono::milliseconds(1);

// As its life file knows it; what a dead one's record says of its process id may mean another process by now.
std::string process(const Participant& one, const std::optional<Peer>& life) {
  return "the receiver, " + (life ? life->who().message() : "pid " + std::to_string(one.pid)) + ", ";
}

}  // namespace

Sender::Sender(Rendezvous rendezvous, std::unique_ptr<FrameSink> sink)
    : rendezvous_(std::move(rendezvous)),
      sink_(std::move(sink)),
      buffer_(sink_->frame_size()),
      has_priorities_(sink_->capabilities().priority) {
  find_receiver();
}

Result<void> Sender::send(Bytes message, Deadline deadline, std::uint32_t priority) {
  return send_part(message, More::no, deadline, priority);
}

Result<void> Sender::check_may_send(std::uint32_t priority) const {
  if (auto own = rendezvous_.check_own(); !own) {
    return own;
  }
  if (cut_short_) {
    return fail(Error(Errc::aborted, "send").because("an earlier message was cut short; only abort() is left to do"));
  }
  if (priority > 0 && !has_priorities_) {
    return fail(no_priorities());
  }
  if (priority > most_priority) {
    return fail(
        Error(Errc::invalid_argument, "send").because("priorities go from 0 to " + std::to_string(most_priority)));
  }
  expects(!begun_ || priority == priority_, "all parts of a message have one priority");
  return {};
}

std::size_t Sender::piece() const noexcept {
  return std::min(buffer_.size() - Frame::header_size, Frame::most_payload);
}

Result<void> Sender::check() {
  if (auto own = rendezvous_.check_own(); !own) {
    return own;
  }
  if (auto there = check_receiver(); !there) {
    return there;
  }
  return sink_->wait_receiver_gone(immediately) ? fail(why_closed()) : Result<void>();
}

Result<void> Sender::send_part(Bytes part, More more, Deadline deadline, std::uint32_t priority) {
  if (auto may = check_may_send(priority); !may) {
    return may;
  }
  priority_ = priority;
  std::uint64_t& number = numbers_[priority];
  do {
    const Bytes payload = part.first(std::min(part.size(), piece()));
    part = part.subspan(payload.size());
    const bool ends_message = part.empty() && more == More::no;
    if (payload.empty() && !ends_message) {
      return {};
    }
    if (auto sent = put({.sender = rendezvous_.token(),
                         .message = number + 1,
                         .offset = offset_,
                         .kind = ends_message ? FrameKind::last : FrameKind::part,
                         .priority = priority,
                         .payload = payload},
                        deadline);
        !sent) {
      cut_short_ = begun_;
      return sent;
    }
    begun_ = !ends_message;
    offset_ = ends_message ? 0 : offset_ + payload.size();
    number += ends_message ? 1 : 0;
    whole_ += ends_message ? 1 : 0;
  } while (!part.empty());
  return {};
}

// Who has not looked for a while looks before it sends: another receiver may have taken the place of one that died,
// and would get the middle of what the first had begun. It costs system calls, so not each time.
Result<void> Sender::look_now_and_then() {
  if (!next_look_.passed()) {
    return {};
  }
  next_look_ = after(recheck_interval);
  return check_receiver();
}

Result<void> Sender::put(const Frame& frame, Deadline deadline) {
  if (auto there = look_now_and_then(); !there) {
    return there;
  }
  if (!gone_before_) {
    auto gone = rendezvous_.receivers_gone();
    if (!gone) {
      return fail(std::move(gone.error()));
    }
    gone_before_ = *gone;
  }
  const std::size_t size = frame.encode(buffer_);
  while (true) {
    auto sent = sink_->put(Bytes(buffer_).first(size), deadline.or_sooner(next_look_));
    if (sent.failed_with(Errc::closed)) {
      return fail(why_closed());
    }
    if (!sent.failed_with(Errc::timed_out)) {
      return sent;
    }
    if (auto there = check_receiver(); !there) {
      return there;
    }
    if (deadline.passed()) {
      return sent;
    }
    next_look_ = after(recheck_interval);
  }
}

void Sender::find_receiver() {
  if (receiver_ || !rendezvous_.sees_other_role()) {
    return;
  }
  const auto entered = rendezvous_.entered(after(farewell));
  for (const Participant& one : entered ? *entered : std::vector<Participant>{}) {
    auto life = one.role == Role::receiver ? rendezvous_.peer(one.token) : Result<Peer>(fail(Errc::limit_reached));
    // Where it cannot be told now whether it lives, it is asked for again at the next look.
    if (life || life.failed_with(Errc::not_found)) {
      receiver_ = one;
      receiver_life_ = life ? std::optional(std::move(*life)) : std::nullopt;
    }
  }
}

// Somebody else may hold the receiving end open for a receiver that is dead; one that is stopped is alive.
Result<void> Sender::check_receiver() {
  if (auto entered = rendezvous_.progress(); !entered) {
    return fail(std::move(entered.error()));
  }
  find_receiver();
  if (!receiver_) {
    // An inherited pipe: it may be yet to come, but for one that may have taken of what was sent, and has gone again.
    const auto gone = rendezvous_.receivers_gone();
    return gone && *gone != gone_before_.value_or(*gone) ? fail(why_closed()) : Result<void>();
  }
  const auto standing = receiver_life_ ? receiver_life_->standing() : Result<Standing>(Standing::died);
  return standing && *standing != Standing::alive ? fail(why_closed()) : Result<void>();
}

// Who was at the other end, and how it ended. One that dies closes its descriptors before it is known to be dead, and
// one that leaves closes before it has left: so this waits a moment for either.
Error Sender::why_closed() {
  find_receiver();
  const Deadline patience = after(farewell);
  while (receiver_ && receiver_life_) {
    const auto standing = receiver_life_->standing();
    if (!standing || *standing == Standing::left || (*standing == Standing::alive && patience.passed())) {
      return Error(Errc::closed, "send").because(process(*receiver_, receiver_life_) + "left before it had everything");
    }
    if (*standing != Standing::alive) {
      break;
    }
    [[maybe_unused]] const auto slept = sleep_until(after(closing_recheck));
  }
  return receiver_ ? Error(Errc::peer_died, "send").because(process(*receiver_, receiver_life_) + "died")
                   : Error(Errc::closed, "send").because("the receiver left before it had everything");
}

Result<void> Sender::finish(Deadline deadline) && {
  if (auto own = rendezvous_.check_own(); !own) {
    sink_.reset();
    return own;
  }
  if (begun_ || cut_short_) {
    std::move(*this).abort();
    return fail(Error(Errc::aborted, "send").because("its last message was not sent whole"));
  }
  // The lowest priority, so that it comes after everything else.
  auto finished = put({.sender = rendezvous_.token(), .message = whole_ + 1, .kind = FrameKind::end}, deadline);
  if (finished) {
    finished = await_confirmation(deadline);
  }
  // All is said: what a leave cannot clean up now, the next one in does.
  [[maybe_unused]] const auto left = std::move(rendezvous_).leave(after(farewell));
  return finished;
}

Result<void> Sender::await_confirmation(Deadline deadline) {
  while (true) {
    auto gone = sink_->wait_receiver_gone(deadline.or_sooner(after(recheck_interval)));
    auto there = gone ? fail(why_closed()) : gone.failed_with(Errc::timed_out) ? check_receiver() : gone;
    // Asked last: a receiver confirms before it closes, leaves or dies.
    auto progress = rendezvous_.progress();
    if (!progress || *progress == Progress::confirmed) {
      return progress ? Result<void>() : fail(std::move(progress.error()));
    }
    if (!there || deadline.passed()) {
      return there ? gone : there;
    }
  }
}

void Sender::abort() && {
  if (!rendezvous_.check_own()) {
    sink_.reset();  // it is the parent's to abort
    return;
  }
  [[maybe_unused]] const auto told =
      put({.sender = rendezvous_.token(), .message = whole_ + 1, .offset = offset_, .kind = FrameKind::abort},
          after(last_word));
  sink_.reset();
  [[maybe_unused]] const auto left = std::move(rendezvous_).leave(after(farewell));
}

}  // namespace tenon
