#include <tenon/channel/receiver.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>

#include <algorithm>

namespace tenon {

namespace {

constexpr auto farewell = std::chrono::seconds(1);
// After everybody has closed, a sender that is entered may be about to open: soon, or not at all.
constexpr auto no_writer_recheck = std::chrono::milliseconds(5);
constexpr int quick_rounds = 10;

Fail out_of_order(const Frame& frame, std::uint64_t message, std::uint64_t offset) {
  return fail(Error(Errc::corrupt, "receive")
                  .because("a part is missing: expected message " + std::to_string(message) + " from byte " +
                           std::to_string(offset) + ", got message " + std::to_string(frame.message) + " from byte " +
                           std::to_string(frame.offset)));
}

}  // namespace

Receiver::Receiver(Rendezvous rendezvous, std::unique_ptr<FrameSource> source)
    : rendezvous_(std::move(rendezvous)), source_(std::move(source)) {}

bool Receiver::all_ended() const {
  return !inflows_.empty() && std::ranges::all_of(inflows_, [](const auto& entry) { return entry.second.ended; });
}

Result<Part> Receiver::receive_part(Deadline deadline) {
  if (auto own = rendezvous_.check_own(); !own) {
    return fail(std::move(own.error()));
  }
  while (true) {
    if (const auto dead = overdue(inflows_, current_, taken_)) {
      return fail(end_of(*dead));
    }
    if (all_ended()) {
      auto enlisted = enlist(Left::left_out, deadline);
      if (!enlisted || all_ended()) {
        return fail(enlisted ? Error(Errc::closed, "receive") : std::move(enlisted.error()));
      }
    }
    auto part = next_frame(deadline).and_then([&](const Frame& frame) { return admit(frame, deadline); });
    if (part.failed_with(Errc::would_block)) {
      continue;  // no frame, but something to look at anew
    }
    if (!part || *part) {
      return part ? Result<Part>(**part) : fail(std::move(part.error()));
    }
  }
}

// A held frame whose turn it is, else the next one from the mechanism.
Result<Frame> Receiver::next_frame(Deadline deadline) {
  if (unadmitted_) {
    released_ = std::move(*unadmitted_);
    unadmitted_.reset();
  } else if (Flow* const flow = next_held(inflows_, current_); flow != nullptr) {
    released_ = std::move(flow->held.front());
    flow->held.pop_front();
    held_bytes_ -= released_.cost();
  } else {
    return take(deadline);
  }
  released_.frame.payload = released_.payload;
  return released_.frame;
}

// Waits for a frame, and looks every now and then whether those who owe one are still alive. Outcomes: also
// would_block: there is news of some sender.
Result<Frame> Receiver::take(Deadline deadline) {
  while (true) {
    if (next_look_.passed()) {
      if (auto looked = look(deadline); !looked) {
        return fail(std::move(looked.error()));
      }
      next_look_ = after(recheck_interval);
      if (overdue(inflows_, current_, taken_)) {
        return fail(Errc::would_block);
      }
    }
    auto frame = source_->take(deadline.or_sooner(next_look_));
    if (frame) {
      taken_ += Frame::header_size + frame->payload.size();
      idle_rounds_ = 0;
      return frame;
    }
    if (frame.failed_with(Errc::closed)) {
      auto waited = wait_without_writers(deadline);
      return fail(waited ? Error(Errc::would_block) : std::move(waited.error()));
    }
    if (!frame.failed_with(Errc::timed_out) || deadline.passed()) {
      return frame;
    }
  }
}

// Whether this end is still entered, who has come, and who has died. What a dead sender wrote before is still taken.
// Somebody else may hold the rendezvous' lock for longer than a look should take: the next look is soon.
Result<void> Receiver::look(Deadline deadline) {
  const Deadline soon = deadline.or_sooner(after(recheck_interval));
  auto looked = inflows_.empty() && rendezvous_.sees_other_role() ? enlist(Left::counted, soon) : Result<void>();
  looked = looked ? look_at_unwatched(soon) : std::move(looked);
  if (!looked && !looked.failed_with(Errc::timed_out)) {
    return looked;
  }
  for (auto& [sender, inflow] : inflows_) {
    const auto standing = inflow.peer ? inflow.peer->standing() : Result<Standing>(Standing::alive);
    if (standing && *standing != Standing::alive) {
      inflow.peer.reset();
      inflow.gone = true;
    }
    if (inflow.gone && !inflow.ended && !inflow.owed_until) {
      inflow.owed_until = all_sent();
    }
  }
  return rendezvous_.progress().transform([](Progress) {});
}

// Those for whom no descriptor was left to watch them with.
Result<void> Receiver::look_at_unwatched(Deadline deadline) {
  const bool all_watched = std::ranges::all_of(
      inflows_, [](const auto& entry) { return entry.second.peer || entry.second.gone || entry.second.ended; });
  if (all_watched) {
    return {};
  }
  const auto entered = rendezvous_.entered(deadline);
  if (!entered) {
    return fail(entered.error());
  }
  for (auto& [sender, inflow] : inflows_) {
    const auto one = std::ranges::find(*entered, sender, &Participant::token);
    inflow.gone = inflow.gone || (!inflow.peer && !inflow.ended && (one == entered->end() || !one->alive));
  }
  return {};
}

// When so many bytes have been taken, all that was sent before this call has been; nothing if that cannot be told yet.
std::optional<std::uint64_t> Receiver::all_sent() const {
  const std::size_t pending = source_->pending();
  return source_->keeps_order() || pending == 0 ? std::optional(taken_ + pending) : std::nullopt;
}

// Everybody has closed: whoever has begun and not said its end owes it. One that is entered may be about to open.
Result<void> Receiver::wait_without_writers(Deadline deadline) {
  if (auto enlisted = inflows_.empty() ? enlist(Left::left_out, deadline) : Result<void>(); !enlisted) {
    return enlisted;
  }
  if (inflows_.empty()) {
    return fail(Error(Errc::peer_died, "receive").because("the sender went before it had sent anything"));
  }
  for (auto& [sender, inflow] : inflows_) {
    if (inflow.heard && !inflow.ended && !inflow.owed_until) {
      inflow.owed_until = taken_;
    }
  }
  if (overdue(inflows_, current_, taken_) || all_ended()) {
    return {};
  }
  const auto pause = idle_rounds_++ < quick_rounds ? no_writer_recheck : recheck_interval;
  if (auto slept = sleep_until(deadline.or_sooner(after(pause))); slept.failed_with(Errc::stopped)) {
    return slept;
  }
  return deadline.passed() ? fail(Errc::timed_out, "receive") : Result<void>();
}

// Takes note of the senders that are entered, before they have sent anything: they too have to say their end. One that
// came and left again has not said it, but counts only as long as there is nobody else to wait for.
Result<void> Receiver::enlist(Left left, Deadline deadline) {
  const auto entered = rendezvous_.entered(deadline);
  if (!entered) {
    return fail(entered.error());
  }
  for (const Participant& one : *entered) {
    const bool counts = one.progress == Progress::open || (left == Left::counted && one.progress == Progress::left);
    if (one.role == Role::sender && counts && !inflows_.contains(one.token)) {
      watch(one.token);
    }
  }
  return {};
}

Inflow& Receiver::watch(Token sender) {
  Inflow& inflow = inflows_[sender];
  auto peer = rendezvous_.peer(sender);
  if (peer) {
    inflow.who = peer->who().message();
    inflow.peer = std::move(*peer);
  } else if (peer.failed_with(Errc::not_found)) {
    inflow.gone = true;
    inflow.owed_until = all_sent();
  }
  return inflow;
}

// How a sender ended that said no end. Its stream counts as ended from now on, so that others can be received further.
Error Receiver::end_of(Token sender) {
  Inflow& inflow = inflows_[sender];
  inflow.ended = true;
  if (current_ && current_->sender == sender) {
    current_.reset();
    message_.clear();
    too_long_ = false;
  }
  held_bytes_ -= inflow.drop_held();  // what waited behind a message that will never be whole
  const auto entered = rendezvous_.entered(after(farewell));
  for (const Participant& other : entered ? *entered : std::vector<Participant>{}) {
    if (other.token == sender) {
      [[maybe_unused]] const auto forgotten = rendezvous_.forget(sender, after(farewell));
      const std::string who =
          "the sender, " + (inflow.who.empty() ? "pid " + std::to_string(other.pid) : inflow.who) + ", ";
      return other.progress == Progress::left || other.alive
                 ? Error(Errc::aborted, "receive").because(who + "left before it had sent everything")
                 : Error(Errc::peer_died, "receive").because(who + "died before it had sent everything");
    }
  }
  return Error(Errc::peer_died, "receive").because("the sender went before it had sent everything");
}

// A sender's first frame: it must be entered, or nobody could tell whether it lives, nor tell it that it was heard.
Result<Inflow*> Receiver::inflow_of(Token sender, Deadline deadline) {
  if (const auto known = inflows_.find(sender); known != inflows_.end()) {
    return &known->second;
  }
  const auto entered = rendezvous_.entered(deadline);
  if (!entered) {
    return fail(entered.error());
  }
  const bool vouched = std::ranges::any_of(
      *entered, [&](const Participant& one) { return one.token == sender && one.role == Role::sender; });
  if (!vouched) {
    return fail(Error(Errc::permission_denied, "receive")
                    .because("the sender is not entered at this channel; senders in another domain (TENON_DOMAIN) "
                             "cannot be received from"));
  }
  return &watch(sender);
}

// Nothing where the frame held no bytes for the caller: it was an end, or another sender's.
Result<std::optional<Part>> Receiver::admit(const Frame& frame, Deadline deadline) {
  auto known = inflow_of(frame.sender, deadline.or_sooner(after(recheck_interval)));
  if (known) {
    return admit_to(**known, frame);
  }
  // A stranger's frame is refused for good. One of which it could not be told whose it is, is kept: nothing is lost.
  if (!known.failed_with(Errc::permission_denied)) {
    unadmitted_ = HeldFrame{.frame = frame, .payload = {frame.payload.begin(), frame.payload.end()}, .turn = taken_};
  }
  const bool again = known.failed_with(Errc::timed_out) && !deadline.passed();
  return fail(again ? Error(Errc::would_block) : std::move(known.error()));
}

Result<std::optional<Part>> Receiver::admit_to(Inflow& inflow, const Frame& frame) {
  inflow.heard = true;
  if (frame.priority > most_priority) {
    return fail(Error(Errc::corrupt, "receive").because("no message has priority " + std::to_string(frame.priority)));
  }
  const FlowKey key{.sender = frame.sender, .priority = frame.priority};
  // Whoever gives up sends no more of what it has begun, so that is not waited for.
  const bool ends_current = frame.kind == FrameKind::abort && current_ && current_->sender == frame.sender;
  if (current_ && *current_ != key && !ends_current) {
    return hold(inflow.flows[frame.priority], frame).transform([] { return std::optional<Part>(); });
  }
  if (frame.kind == FrameKind::abort && !inflow.ended) {
    Error gave_up = end_of(frame.sender);
    return fail(Error(Errc::aborted, gave_up.call()).because("the sender gave up before it had sent everything"));
  }
  if (frame.kind == FrameKind::end) {
    if (frame.message != inflow.whole + 1 || inflow.in_message() || inflow.ended) {
      return out_of_order(frame, inflow.whole + 1, 0);
    }
    inflow.ended = true;
    return std::optional<Part>();
  }
  return take_part(inflow, frame).transform([](const Part& part) { return std::optional(part); });
}

Result<Part> Receiver::take_part(Inflow& inflow, const Frame& frame) {
  Flow& flow = inflow.flows[frame.priority];
  if (frame.message != flow.message || frame.offset != flow.offset || inflow.ended) {
    return out_of_order(frame, flow.message, flow.offset);
  }
  const bool last = frame.kind == FrameKind::last;
  flow.offset = last ? 0 : flow.offset + frame.payload.size();
  flow.message += last ? 1 : 0;
  inflow.whole += last ? 1 : 0;
  current_ = last ? std::nullopt : std::optional(FlowKey{.sender = frame.sender, .priority = frame.priority});
  return Part{.sender = frame.sender,
              .message = frame.message,
              .offset = frame.offset,
              .data = frame.payload,
              .last = last,
              .priority = frame.priority};
}

Result<void> Receiver::hold(Flow& flow, const Frame& frame) {
  HeldFrame held{.frame = frame, .payload = {frame.payload.begin(), frame.payload.end()}, .turn = taken_};
  if (held_bytes_ + held.cost() > most_held) {
    return fail(Error(Errc::limit_reached, "receive")
                    .with({.name = "bytes held back for other senders",
                           .value = most_held,
                           .wanted = held_bytes_ + held.cost(),
                           .remedy = "let senders of long messages take turns"}));
  }
  held_bytes_ += held.cost();
  flow.held.push_back(std::move(held));
  return {};
}

Result<std::vector<std::byte>> Receiver::receive(std::size_t most, Deadline deadline) {
  while (true) {
    auto part = receive_part(deadline);
    if (!part) {
      return fail(std::move(part.error()));
    }
    too_long_ = too_long_ || part->data.size() > most || message_.size() > most - part->data.size();
    if (!too_long_) {
      message_.insert(message_.end(), part->data.begin(), part->data.end());
    }
    if (!part->last) {
      continue;
    }
    auto message = std::exchange(message_, {});
    if (std::exchange(too_long_, false)) {
      return fail(Error(Errc::message_too_long, "receive")
                      .because("the message has " + std::to_string(part->offset + part->data.size()) + " bytes, " +
                               std::to_string(most) + " were allowed"));
    }
    return message;
  }
}

Result<void> Receiver::finish(Deadline deadline) && {
  if (auto own = rendezvous_.check_own(); !own) {
    source_.reset();
    return own;
  }
  auto confirmed = rendezvous_.progress().transform([](Progress) {});
  for (const auto& [sender, inflow] : inflows_) {
    if (confirmed && inflow.ended) {
      confirmed = rendezvous_.confirm(sender, deadline);
    }
  }
  source_.reset();  // closing wakes senders that wait for the confirmation
  // All is said: what a leave cannot clean up now, the next one in does.
  [[maybe_unused]] const auto left = std::move(rendezvous_).leave(after(farewell));
  return confirmed;
}

void Receiver::abandon() && {
  source_.reset();
  [[maybe_unused]] const auto left = std::move(rendezvous_).leave(after(farewell));
}

}  // namespace tenon
