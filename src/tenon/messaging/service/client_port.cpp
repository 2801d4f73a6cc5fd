#include <tenon/messaging/service/client_port.hpp>

#include <tenon/os/stop.hpp>

#include <algorithm>
#include <chrono>

namespace tenon {

namespace {

using namespace std::chrono_literals;

// Whoever waits looks after its servers each time.
constexpr auto between_looks = 50ms;

Errc code_of(BegunCall::End how) noexcept {
  switch (how) {
    case BegunCall::End::too_late:
      return Errc::timed_out;
    case BegunCall::End::cancelled:
      return Errc::stopped;
    case BegunCall::End::closed:
      return Errc::closed;
    case BegunCall::End::peer_died:
      return Errc::peer_died;
    case BegunCall::End::corrupt:
      return Errc::corrupt;
    default:
      return Errc::aborted;
  }
}

// However much comes that is not this call's: after so many the deadline is asked, and who has died.
constexpr std::uint32_t most_for_others = 64;

bool is_over_by(Deadline deadline) noexcept { return deadline.is_immediate() || deadline.passed(); }

}  // namespace

Result<std::optional<ArrivedPart>> ClientPort::tell_end(BegunCall& call) const {
  using End = BegunCall::End;
  if (call.end == End::in_order) {
    return std::optional<ArrivedPart>();
  }
  Error error = Error(code_of(call.end), "call").on(inbox_name_);
  switch (call.end) {
    case End::refused:
      return fail(std::move(error).because("the server says " + std::to_string(call.refusal.code) +
                                           (call.refusal.text.empty() ? "" : ": " + call.refusal.text)));
    case End::unanswered:
      return fail(std::move(error).because("the server gave it up without an answer"));
    case End::closed:
    case End::peer_died:
      return fail(std::move(error).because(call.may_have_been_seen ? "its server may have seen the request"
                                                                   : "its server has not seen the request"));
    case End::corrupt:
      return fail(std::move(error).because("the server answered what cannot be"));
    default:
      return fail(code_of(call.end), "call");
  }
}

BegunCall* ClientPort::find(Connection& from, std::uint64_t number) noexcept {
  const std::uint64_t place = number & (most_places - 1);
  BegunCall* const call = place < calls_.size() ? calls_[place].get() : nullptr;
  const bool is_its = call != nullptr && call->in_use && call->number == number && !call->settled &&
                      call->server->server.token == from.file.name().token;
  return is_its ? call : nullptr;
}

// An entry that was looked at. A part is then in `into`, and its call returned; what belongs to no call is passed over.
// `full`: it stays where it is.
BegunCall* ClientPort::take(Connection& from, const HeldPayload::Copy& copy, ArrivedPart& into, bool& full) {
  const CallHead head = CallHead::unpack(copy.word[0], copy.word[1], copy.word[2]);
  BegunCall* const call = find(from, head.number);
  if (call == nullptr) {
    ++ignored_;
    inbox_->pass(from);
    return nullptr;
  }
  if (call->gave_up) {
    inbox_->pass(from);
    if (head.kind != CallKind::part && head.kind != CallKind::text) {
      settle(*call);
    }
    return nullptr;
  }
  if (head.kind != CallKind::part && head.kind != CallKind::last) {
    if (!take_end(*call, head, from, copy)) {
      end(*call, BegunCall::End::corrupt);
    }
    inbox_->pass(from);
    return nullptr;
  }
  const bool in_its_turn = head.count == call->next_part && call->parts.size() <= options_.window;
  const PayloadTaken taken =
      in_its_turn ? take_payload(*inbox_, from, copy, response_, into.payload) : PayloadTaken::unsound;
  full = taken == PayloadTaken::full;
  if (taken == PayloadTaken::overtaken || full) {
    return nullptr;
  }
  inbox_->pass(from);
  if (taken == PayloadTaken::unsound) {
    end(*call, BegunCall::End::corrupt);
    return nullptr;
  }
  ++call->next_part;
  into.number = head.count;
  into.last = head.kind == CallKind::last;
  if (into.last) {
    end(*call, BegunCall::End::in_order);
  }
  return call;
}

// What ends a call without a part of it. False: it makes no sense.
bool ClientPort::take_end(BegunCall& call, const CallHead& head, Connection& from, const HeldPayload::Copy& copy) {
  HeldPayload text;
  const PayloadRule any_short{
      .in_chunks = false, .longest = 0, .is_sound = [](std::uint64_t) noexcept { return true; }};
  switch (head.kind) {
    case CallKind::end:
      end(call, BegunCall::End::in_order);
      return true;
    case CallKind::dropped:
      end(call, head.detail == static_cast<int>(DropReason::too_late)    ? BegunCall::End::too_late
                : head.detail == static_cast<int>(DropReason::cancelled) ? BegunCall::End::cancelled
                                                                         : BegunCall::End::unanswered);
      return true;
    case CallKind::text:
    case CallKind::refusal:
      if (take_payload(*inbox_, from, copy, any_short, text) != PayloadTaken::whole ||
          call.refusal.text.size() + text.bytes().size() > longest_refusal_text) {
        return false;
      }
      call.refusal.text.append(reinterpret_cast<const char*>(text.bytes().data()), text.bytes().size());
      if (head.kind == CallKind::refusal) {
        call.refusal.code = head.detail;
        end(call, BegunCall::End::refused);
      }
      return true;
    default:
      return false;
  }
}

Result<BegunCall*> ClientPort::take_found(const Result<Connection*>& from, const HeldPayload::Copy& copy,
                                          ArrivedPart& into) {
  if (from) [[likely]] {
    bool full = false;
    BegunCall* const call = take(**from, copy, into, full);
    return full ? fail(Error(Errc::limit_reached, "receive")
                           .on(inbox_name_)
                           .with({.name = "responses that this client holds",
                                  .value = options_.max_held,
                                  .wanted = std::uint64_t{options_.max_held} + 1,
                                  .remedy = "let go of one, or create the client with a larger max_held"}))
                : Result<BegunCall*>(call);
  }
  const Errc code = from.error().code();
  if (code == Errc::closed || code == Errc::peer_died) {
    if (ServerLink* const server = links_.find(inbox_->last_ended()->token)) {
      end_all_of(*server, code);
    }
    return nullptr;
  }
  if (code == Errc::corrupt || code == Errc::type_mismatch || code == Errc::version_mismatch ||
      code == Errc::not_supported) {
    ++ignored_;  // of somebody who is no server of this service
    return nullptr;
  }
  return fail(Error(from.error()));
}

void ClientPort::keep(BegunCall& call, ArrivedPart part) {
  call.parts.push_back(std::move(part));
  if (call.bell) {
    call.bell->ring();
  }
}

std::optional<ArrivedPart> ClientPort::deliver(BegunCall& call, ArrivedPart part) {
  if (!part.last && !call.settled && ++call.owed >= (options_.window + 1) / 2) {
    if (say(call, CallKind::credit, call.owed)) {
      call.owed = 0;
    } else {
      owes_ = true;
    }
  }
  return part;
}

// Whether the call's own deadline has passed, which ends it.
bool ClientPort::is_over(BegunCall& call) {
  if (call.end == BegunCall::End::none && call.parts.empty() && call.deadline.passed()) {
    give_up(call, BegunCall::End::too_late);
  }
  return call.end != BegunCall::End::none;
}

template <class Look>
Result<std::optional<ArrivedPart>> ClientPort::receive_by(Look look, BegunCall& call, Deadline deadline) {
  for (std::uint32_t for_others = 0;;) {
    if (!call.parts.empty()) {
      ArrivedPart part = std::move(call.parts.front());
      call.parts.pop_front();
      return deliver(call, std::move(part));
    }
    if (call.end != BegunCall::End::none) {
      return tell_end(call);
    }
    ArrivedPart part;
    auto taken = take_next(look, part);
    if (taken && *taken == &call) [[likely]] {
      return deliver(call, std::move(part));
    }
    if (taken && *taken != nullptr) {
      keep(**taken, std::move(part));
    }
    if (taken && ++for_others % most_for_others != 0) {
      continue;
    }
    if (!taken && !taken.failed_with(Errc::timed_out) && !taken.failed_with(Errc::would_block)) {
      return fail(std::move(taken.error()));
    }
    if (links_.is_due()) {
      look_after_servers();
    }
    if (!is_over(call) && call.parts.empty() && is_over_by(deadline)) {
      return fail(deadline.is_immediate() ? Errc::would_block : Errc::timed_out, "receive");
    }
  }
}

Result<std::optional<ArrivedPart>> ClientPort::receive(BegunCall& call, Deadline deadline) {
  if (deadline.is_immediate()) {
    return receive_by([this](HeldPayload::Copy& copy) { return inbox_->try_look(copy); }, call, deadline);
  }
  return receive_by(
      [&](HeldPayload::Copy& copy) -> Result<Connection*> {
        if (Connection* const soon = inbox_->find_soon(copy, deadline)) [[likely]] {
          return soon;
        }
        return inbox_->look(copy, deadline.or_sooner(call.deadline).or_sooner(after(between_looks)));
      },
      call, deadline);
}

Result<std::optional<ArrivedPart>> ClientPort::try_receive(BegunCall& call) {
  if (call.bell) {
    call.bell->silence();  // what was kept for it is looked at now
  }
  return receive_by([this](HeldPayload::Copy& copy) { return inbox_->look_and_listen(copy); }, call, immediately);
}

Result<FdView> ClientPort::fd(BegunCall& call) {
  if (!call.bell) {
    auto bell = inbox_->fd().and_then([](FdView inbox) { return CallBell::create(inbox); });
    if (!bell) {
      return fail(std::move(bell.error()).on(inbox_name_));
    }
    call.bell = std::move(*bell);
  }
  return call.bell->fd();
}

}  // namespace tenon
