// How a server is made, meets its clients, and refuses or drops a call.
#include <tenon/messaging/service/server_port.hpp>

#include <algorithm>
#include <cstring>

namespace tenon {

Result<std::unique_ptr<ServerPort>> ServerPort::create(const Holder& holder, std::string_view service,
                                                       const ServerOptions& options, const MessageType& type,
                                                       const PayloadRule& request, const PayloadRule& response) {
  auto folder = ServiceFolder::open(holder, service);
  if (!folder) {
    return fail(std::move(folder.error()));
  }
  TopicCensus census(holder);
  folder->sweep(census);
  const ServiceMember self{.role = ServiceRole::server, .token = Token::random(), .life = holder.token()};
  // One more than a client may have under way: its next may be there before the last is let go of.
  const SubscriberOptions subscriber{.max_held = most_calls + 1, .waiting = options.waiting};
  auto inbox = folder->make(self).and_then([&](TopicFolder entered) {
    return CallSubscriber::create_at(std::move(entered), holder, subscriber, request.in_chunks, type, self.token);
  });
  if (!inbox) {
    folder->remove_if_empty();
    return fail(std::move(inbox.error()));
  }
  return std::unique_ptr<ServerPort>(
      new ServerPort(holder, std::move(*folder), options, type, request, response, self.token, std::move(*inbox)));
}

ServerPort::ServerPort(const Holder& holder, ServiceFolder folder, const ServerOptions& options,
                       const MessageType& type, const PayloadRule& request, const PayloadRule& response, Token token,
                       std::unique_ptr<CallSubscriber> inbox)
    : holder_(holder),
      folder_(std::move(folder)),
      census_(holder),
      options_(options),
      type_(type),
      request_(request),
      response_(response),
      token_(token),
      inbox_(std::move(inbox)) {}

ServerPort::~ServerPort() { [[maybe_unused]] const auto dropped = close(); }

Result<void> ServerPort::close() {
  if (closed_ || !inbox_->is_of_this_process()) {
    return closed_ ? Result<void>() : fail(Errc::in_child);
  }
  closed_ = true;
  waiting_.clear();
  for (const auto& call : calls_) {
    call->request.release();
  }
  auto closed = inbox_->close();  // before its clients are told: they would find it open else
  callers_.clear();
  folder_.sweep(census_);
  folder_.remove_if_empty();
  return closed;
}

std::size_t ServerPort::clients() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(callers_, [](const auto& caller) { return !caller->left; }));
}

// What it asks for is held against what may be asked before anything is reserved. Nothing: it is not heard.
Result<Caller*> ServerPort::meet(Connection& from, const CallHead& head) {
  const EndpointName& name = from.file.name();
  const bool sound = head.calls >= 1 && head.calls <= most_calls && head.window >= 1 && head.window <= most_window &&
                     head.count <= most_held_responses;
  const bool known = std::ranges::any_of(
      callers_, [&](const auto& caller) { return caller->client.token == name.token; });  // it has left, and writes on
  if (!sound || known) {
    return nullptr;
  }
  const PublisherOptions publisher{.depth = response_depth(head.calls, head.window),
                                   .max_loans = options_.max_loans,
                                   .held = response_pins(head.calls, head.window, head.count),
                                   .timestamps = Timestamps::none,
                                   .when_full = WhenFull::refuse,
                                   .waiting = Waiting::sleep};
  const auto shape = shape_of(publisher, response_.longest, sizeof(CallEntry), response_.in_chunks);
  const auto header = shape ? lay_out(*shape, type_) : fail(Error(shape.error()));
  if (!header || header->file_bytes > options_.most_bytes_per_client) {
    return fail(Error(Errc::limit_reached, "receive")
                    .on(service())
                    .because("a client cannot be answered, pid " + std::to_string(from.file.header().head.pid))
                    .with({.name = "bytes reserved for the responses to a client",
                           .value = options_.most_bytes_per_client,
                           .wanted = header ? header->file_bytes : 0,
                           .remedy = "give the client fewer calls or a smaller window, or the server a smaller "
                                     "`longest` or a larger most_bytes_per_client"}));
  }
  const ServiceMember client{.role = ServiceRole::client, .token = name.token, .life = name.life};
  auto responses = folder_.enter(client).and_then([&](TopicFolder folder) {
    return CallPublisher::create_at(std::move(folder), holder_, publisher, *shape, type_, token_);
  });
  if (responses.failed_with(Errc::not_found)) {
    return nullptr;  // it has left
  }
  if (!responses) {
    return fail(std::move(responses.error()));
  }
  const auto caller = std::make_shared<Caller>();
  caller->from = &from;
  caller->client = client;
  caller->pid = from.file.header().head.pid;
  caller->responses = std::move(*responses);
  caller->calls = head.calls;
  caller->window = head.window;
  callers_.push_back(caller);
  return caller.get();
}

Result<CallRoom> ServerPort::lend(TakenCall& call) {
  return call.caller->left ? fail(*call.caller->left, "loan")
                           : call.caller->responses->take_chunk().transform([&](std::uint32_t chunk) {
                               return CallRoom{.owner = call.caller->shared_from_this(),
                                               .chunk = CallChunk(*call.caller->responses, chunk)};
                             });
}

Result<void> ServerPort::send(TakenCall& call, Bytes part, Deadline deadline) {
  if (part.size() <= most_inline_payload) {
    return send(call, Outgoing::copy_of(part), deadline);
  }
  if (part.size() > response_.longest) {
    return fail(too_long("respond", response_.longest, part.size()));
  }
  return lend(call).and_then([&](CallRoom room) {
    std::memcpy(room.chunk.data(), part.data(), part.size());
    return send(call, room, part.size(), deadline);
  });
}

Result<void> ServerPort::send(TakenCall& call, CallRoom& part, std::uint64_t bytes, Deadline deadline) {
  auto sent = send(call, Outgoing::in_chunk(part.chunk.number(), bytes), deadline);
  if (sent) {
    part.chunk.forget();
  }
  return sent;
}

Result<void> ServerPort::end(TakenCall& call, Bytes last) {
  if (last.size() <= most_inline_payload) {
    return end(call, CallKind::last, Outgoing::copy_of(last));
  }
  auto room = last.size() > response_.longest ? fail(too_long("respond", response_.longest, last.size())) : lend(call);
  if (!room) {
    drop(call, DropReason::unanswered);
    return fail(std::move(room.error()));
  }
  std::memcpy(room->chunk.data(), last.data(), last.size());
  return end(call, std::move(*room), last.size());
}

Result<void> ServerPort::refuse(TakenCall& call, std::int64_t code, std::string_view text) {
  auto wanted = check_wanted(call);
  if (!wanted) {
    drop(call, call.cancelled ? DropReason::cancelled : DropReason::too_late);
    return wanted;
  }
  text = text.substr(0, longest_refusal_text);
  Result<void> said;
  while (said && text.size() > most_inline_payload) {
    said = publish(call, CallKind::text, 0,
                   Outgoing::copy_of(std::as_bytes(std::span(text.substr(0, most_inline_payload)))));
    text.remove_prefix(most_inline_payload);
  }
  if (said) {
    said = publish(call, CallKind::refusal, code, Outgoing::copy_of(std::as_bytes(std::span(text))));
  }
  free(call);
  return said;
}

void ServerPort::drop(TakenCall& call, DropReason reason) noexcept {
  if (reason == DropReason::unanswered && (call.cancelled || call.deadline.passed())) {
    reason = call.cancelled ? DropReason::cancelled : DropReason::too_late;  // as its client sees it
  }
  if (!call.caller->left && !closed_ && inbox_->is_of_this_process()) {
    [[maybe_unused]] const auto dropped =
        publish(call, CallKind::dropped, static_cast<std::int64_t>(reason), Outgoing::nothing());
  }
  free(call);
}

}  // namespace tenon
