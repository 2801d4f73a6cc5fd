#include <tenon/messaging/service/server_port.hpp>

#include <tenon/os/stop.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace tenon {

namespace {

Deadline deadline_of(std::int64_t nanoseconds) noexcept {
  using Moment = Deadline::Clock::time_point;
  return nanoseconds == never.nanoseconds() ? never : Deadline::at(Moment(std::chrono::nanoseconds(nanoseconds)));
}

// An entry's look, again at what was looked at.
constexpr int most_at_once = 64;

}  // namespace

TakenCall* ServerPort::find(const Caller& caller, std::uint64_t number) noexcept {
  for (const auto& call : calls_) {
    if (call->in_use && call->caller == &caller && call->number == number) {
      return call.get();
    }
  }
  return nullptr;
}

TakenCall& ServerPort::new_call() {
  if (free_.empty()) {
    calls_.push_back(std::make_unique<TakenCall>());
    free_.push_back(calls_.back().get());
  }
  TakenCall& call = *free_.back();
  free_.pop_back();
  call.parts = 0;
  call.cancelled = false;
  call.in_use = true;
  return call;
}

void ServerPort::free(TakenCall& call) noexcept {
  call.request.release();
  call.in_use = false;
  Caller& caller = *call.caller;
  --caller.open;
  free_.push_back(&call);
  if (caller.left && caller.open == 0) {
    forget_callers();
  }
}

void ServerPort::forget_callers() {
  std::erase_if(callers_, [](const auto& caller) { return caller->left && caller->open == 0; });
}

Result<Caller*> ServerPort::caller_of(Connection& from, const CallHead& head) {
  for (const auto& caller : callers_) {
    if (caller->from == &from && !caller->left) [[likely]] {
      return caller.get();
    }
  }
  return meet(from, head);
}

// A call without anything that a client could have meant is passed over, and counted.
Result<void> ServerPort::take_call(Connection& from, const CallHead& head, const HeldPayload::Copy& copy) {
  auto caller = caller_of(from, head);
  const bool may_call = caller && *caller != nullptr && (*caller)->open - (*caller)->answered < (*caller)->calls &&
                        find(**caller, head.number) == nullptr;
  if (!may_call) {
    ++ignored_;
    inbox_->pass(from);
    return caller ? Result<void>() : fail(std::move(caller.error()));
  }
  HeldPayload request;
  const PayloadTaken taken = take_payload(*inbox_, from, copy, request_, request);
  if (taken == PayloadTaken::overtaken) {
    return {};
  }
  inbox_->pass(from);
  if (taken != PayloadTaken::whole) {
    ++ignored_;
    return {};
  }
  TakenCall& call = new_call();
  call.caller = *caller;
  call.number = head.number;
  call.deadline = deadline_of(head.detail);
  call.request = std::move(request);
  call.credit = (*caller)->window;
  ++(*caller)->open;
  waiting_.push_back(&call);
  return {};
}

Result<void> ServerPort::take(Connection& from, const HeldPayload::Copy& copy) {
  const CallHead head = CallHead::unpack(copy.word[0], copy.word[1], copy.word[2]);
  if (head.kind == CallKind::call) [[likely]] {
    return take_call(from, head, copy);
  }
  inbox_->pass(from);
  const auto caller = std::ranges::find(callers_, &from, [](const auto& known) { return known->from; });
  TakenCall* const call = caller != callers_.end() ? find(**caller, head.number) : nullptr;
  if (call != nullptr && head.kind == CallKind::cancel) {
    call->cancelled = true;
  } else if (call != nullptr && head.kind == CallKind::credit) {
    call->credit = std::min(call->credit + std::min(head.count, most_window), (*caller)->window);
  } else if (head.kind != CallKind::cancel && head.kind != CallKind::credit) {
    ++ignored_;  // of a call that has ended meanwhile both may come
  }
  return {};
}

template <class Look>
Result<void> ServerPort::take_next(Look look) {
  HeldPayload::Copy copy;
  auto from = look(copy);
  if (from) [[likely]] {
    return take(**from, copy);
  }
  const Errc code = from.error().code();
  if (code == Errc::closed || code == Errc::peer_died) {
    caller_left(*inbox_->last_ended(), code);
    return {};
  }
  if (code == Errc::corrupt || code == Errc::type_mismatch || code == Errc::version_mismatch ||
      code == Errc::not_supported) {
    ++ignored_;  // of somebody who is no client of this service
    return {};
  }
  return fail(std::move(from.error()));
}

void ServerPort::caller_left(const EndpointName& name, Errc how) {
  const auto found =
      std::ranges::find_if(callers_, [&](const auto& caller) { return caller->client.token == name.token; });
  if (found == callers_.end()) {
    return;
  }
  Caller& caller = **found;
  caller.left = how;
  caller.from = nullptr;
  [[maybe_unused]] const auto dropped = caller.responses->close();  // its inbox goes with the last who is in it
  ++caller.open;                                                    // it stays while its calls are dropped
  std::erase_if(waiting_, [&](TakenCall* call) {
    const bool its = call->caller == &caller;
    if (its) {
      free(*call);
    }
    return its;
  });
  --caller.open;
  folder_.sweep(census_);
  forget_callers();
}

template <class Look>
Result<TakenCall*> ServerPort::receive_by(Look look) {
  while (true) {
    while (!waiting_.empty()) {
      TakenCall& call = *waiting_.front();
      waiting_.pop_front();
      if (!call.cancelled && !call.deadline.passed()) [[likely]] {
        return &call;
      }
      ++unwanted_;
      drop(call, call.cancelled ? DropReason::cancelled : DropReason::too_late);
    }
    if (auto taken = take_next(look); !taken) {
      return fail(std::move(taken.error()));
    }
  }
}

Result<TakenCall*> ServerPort::receive(Deadline deadline) {
  return receive_by([&](HeldPayload::Copy& copy) -> Result<Connection*> {
    if (Connection* const soon = inbox_->find_soon(copy, deadline)) [[likely]] {
      return soon;
    }
    return inbox_->look(copy, deadline);
  });
}

Result<TakenCall*> ServerPort::try_receive() {
  return receive_by([this](HeldPayload::Copy& copy) { return inbox_->look_and_listen(copy); });
}

// Takes what is there: cancellations and credit, which may stand behind other calls.
void ServerPort::look_at_all() {
  for (int looks = 0; looks < most_at_once; ++looks) {
    const auto taken = take_next([this](HeldPayload::Copy& copy) -> Result<Connection*> {
      Connection* const found = inbox_->find_any(copy);
      return found != nullptr ? Result<Connection*>(found) : fail(Errc::would_block, "receive");
    });
    if (taken.failed_with(Errc::would_block)) {
      return;
    }
  }
}

// Outcomes: aborted, timed_out, and how its client left.
Result<void> ServerPort::check_wanted(TakenCall& call) {
  if (call.caller->left) {
    return fail(*call.caller->left, "respond");
  }
  return call.cancelled           ? fail(Errc::aborted, "respond")
         : call.deadline.passed() ? fail(Errc::timed_out, "respond")
                                  : Result<void>();
}

bool ServerPort::is_cancelled(TakenCall& call) {
  look_at_all();
  return !check_wanted(call);
}

Result<void> ServerPort::publish(TakenCall& call, CallKind kind, std::int64_t detail, const Outgoing& out) {
  Caller& caller = *call.caller;
  auto sent =
      publish_call(*caller.responses, {.number = call.number, .detail = detail, .kind = kind, .count = call.parts}, out,
                   immediately);
  if (sent.failed_with(Errc::would_block)) {
    // There is room for all that a client may have under way: this one takes nothing out and gives credit for it.
    caller.left = Errc::corrupt;
    return fail(Error(Errc::corrupt, "respond").on(service()).because("its client asks for more than it receives"));
  }
  return sent;
}

Result<void> ServerPort::wait_for_credit(TakenCall& call, Deadline deadline) {
  while (call.credit == 0) {
    auto taken =
        take_next([&](HeldPayload::Copy& copy) { return inbox_->look(copy, deadline.or_sooner(call.deadline)); });
    if (auto wanted = check_wanted(call); !wanted) {
      return wanted;
    }
    if (!taken) {
      return deadline.is_immediate() ? fail(Errc::would_block, "respond") : std::move(taken);
    }
  }
  return {};
}

Result<void> ServerPort::send(TakenCall& call, const Outgoing& part, Deadline deadline) {
  look_at_all();
  auto may_send = check_wanted(call);
  if (may_send && call.credit == 0) {
    may_send = wait_for_credit(call, deadline);
  }
  if (!may_send) {
    return may_send;
  }
  return publish(call, CallKind::part, 0, part).transform([&] {
    ++call.parts;
    --call.credit;
  });
}

// The answer goes out before it is asked whether it is still wanted: who waits for it waits no longer for that.
Result<void> ServerPort::answer(TakenCall& call, CallKind kind, const Outgoing& last, bool& sent) {
  auto wanted = check_wanted(call);
  if (call.caller->left) {
    return wanted;
  }
  if (!wanted) {
    const DropReason why = call.cancelled ? DropReason::cancelled : DropReason::too_late;
    auto told = publish(call, CallKind::dropped, static_cast<std::int64_t>(why), Outgoing::nothing());
    return told ? std::move(wanted) : std::move(told);
  }
  auto published = publish(call, kind, 0, last);
  sent = published.has_value();
  if (sent) {
    ++call.caller->answered;  // its client may have the answer by now, and what it calls next be found by this look
    look_at_all();
    --call.caller->answered;
  }
  return sent && call.cancelled ? fail(Errc::aborted, "respond") : std::move(published);
}

Result<void> ServerPort::end(TakenCall& call, CallKind kind, const Outgoing& last) {
  bool sent = false;
  auto answered = answer(call, kind, last, sent);
  free(call);
  return answered;
}

Result<void> ServerPort::end(TakenCall& call, CallRoom last, std::uint64_t bytes) {
  bool sent = false;
  auto answered = answer(call, CallKind::last, Outgoing::in_chunk(last.chunk.number(), bytes), sent);
  if (sent) {
    last.chunk.forget();
  }
  free(call);
  return answered;
}

}  // namespace tenon
