// How a client is made, begins calls and ends them.
#include <tenon/messaging/service/client_port.hpp>

#include <tenon/os/stop.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace tenon {

namespace {

using namespace std::chrono_literals;

// Who waits for a server looks for one so often.
constexpr auto between_looks_for_servers = 20ms;

// The defaults filled in. Failures: invalid_argument.
Result<ClientOptions> whole(ClientOptions options, const PayloadRule& request, const PayloadRule& response) {
  if (options.max_calls == 0) {
    options.max_calls = request.in_chunks || response.in_chunks ? 8 : 32;
  }
  if (options.window == 0) {
    options.window = response.in_chunks ? 2 : 8;
  }
  if (options.max_calls > most_calls || options.window > most_window || options.max_held > most_held_responses) {
    return fail(Error(Errc::invalid_argument)
                    .because("a client has at most 64 calls to a server, a window of 1,024 parts, and holds 1,024"));
  }
  return options;
}

}  // namespace

Result<std::unique_ptr<ClientPort>> ClientPort::create(const Holder& holder, std::string_view service,
                                                       const ClientOptions& wanted, const MessageType& type,
                                                       const PayloadRule& request, const PayloadRule& response) {
  auto options = whole(wanted, request, response);
  if (!options) {
    return fail(std::move(options.error()).on(service));
  }
  // Beside the calls there are cancellations and credits, which wait for no room.
  const PublisherOptions publisher{.depth = options->max_calls * 4,
                                   .max_loans = options->max_loans,
                                   .held = options->max_calls,
                                   .timestamps = Timestamps::none,
                                   .waiting = options->waiting == Waiting::sleep ? Waiting::sleep : Waiting::adaptive};
  const auto shape = shape_of(publisher, request.longest, sizeof(CallEntry), request.in_chunks);
  if (!shape) {
    return fail(Error(shape.error()).on(service));
  }
  auto folder = ServiceFolder::open(holder, service);
  if (!folder) {
    return fail(std::move(folder.error()));
  }
  const ServiceMember self{.role = ServiceRole::client, .token = Token::random(), .life = holder.token()};
  const SubscriberOptions subscriber{
      .max_held = response.in_chunks ? response_pins(options->max_calls, options->window, options->max_held) : 1,
      .waiting = options->waiting};
  auto inbox = folder->make(self).and_then([&](TopicFolder entered) {
    return CallSubscriber::create_at(std::move(entered), holder, subscriber, response.in_chunks, type, self.token);
  });
  if (!inbox) {
    folder->remove_if_empty();
    return fail(std::move(inbox.error()));
  }
  std::unique_ptr<ClientPort> port(new ClientPort(holder, std::move(*folder), *options, type, request, response,
                                                  publisher, *shape, self.token, std::move(*inbox)));
  return port->links_.meet().transform([&] { return std::move(port); });
}

ClientPort::ClientPort(const Holder& holder, ServiceFolder folder, const ClientOptions& options,
                       const MessageType& type, const PayloadRule& request, const PayloadRule& response,
                       const PublisherOptions& publisher, const PublisherShape& shape, Token token,
                       std::unique_ptr<CallSubscriber> inbox)
    : options_(options),
      request_(request),
      response_(response),
      inbox_name_(folder.service()),
      inbox_(std::move(inbox)),
      links_(holder, std::move(folder), publisher, shape, type, token) {}

ClientPort::~ClientPort() { [[maybe_unused]] const auto dropped = close(); }

Result<void> ClientPort::close() {
  if (closed_ || !inbox_->is_of_this_process()) {
    return closed_ ? Result<void>() : fail(Errc::in_child);
  }
  closed_ = true;
  calls_.clear();  // what they kept of their responses goes before the inbox does
  return inbox_->close().transform([this] { links_.close(); });
}

// An end that stands in the inbox is an end: it is taken out first.
std::size_t ClientPort::servers() {
  constexpr int most_at_once = 1024;
  for (int looks = 0; looks < most_at_once; ++looks) {
    ArrivedPart part;
    const auto taken = take_next([this](HeldPayload::Copy& copy) { return inbox_->try_look(copy); }, part);
    if (!taken) {
      break;
    }
    if (*taken != nullptr) {
      keep(**taken, std::move(part));
    }
  }
  look_after_servers();
  return links_.living();
}

Result<void> ClientPort::wait_for_servers(Deadline deadline) {
  ArrivedPart part;
  auto taken = take_next(
      [&](HeldPayload::Copy& copy) { return inbox_->look(copy, deadline.or_sooner(after(between_looks_for_servers))); },
      part);
  if (taken && *taken != nullptr) {
    keep(**taken, std::move(part));
  }
  const bool waited = taken || taken.failed_with(Errc::timed_out);
  return waited ? Result<void>() : fail(std::move(taken.error()));
}

Result<ServerLink*> ClientPort::choose(Deadline deadline) {
  if (!inbox_->is_of_this_process()) {
    return fail(Error(Errc::in_child).on(inbox_name_));
  }
  if (links_.is_due()) {
    look_after_servers();
  }
  while (true) {
    if (ServerLink* const server = links_.choose(options_.max_calls)) [[likely]] {
      return server;
    }
    look_after_servers();
    if (auto met = links_.meet(); !met) {
      return fail(std::move(met.error()));
    }
    if (ServerLink* const server = links_.choose(options_.max_calls)) {
      return server;
    }
    if (deadline.is_immediate() || deadline.passed()) {
      const bool alone = links_.empty();
      return fail(Error(!deadline.is_immediate() ? Errc::timed_out
                        : alone                  ? Errc::not_found
                                                 : Errc::would_block,
                        "call")
                      .on(inbox_name_)
                      .because(alone ? "no server of it is there" : "each of its servers has as many calls as it may"));
    }
    if (auto waited = wait_for_servers(deadline); !waited) {
      return fail(std::move(waited.error()));
    }
  }
}

// Requests that were lent may be more than there may be calls.
Result<void> ClientPort::wait_for_room(ServerLink& server, Deadline deadline) {
  const auto kept = server.shared_from_this();
  while (server.outstanding >= options_.max_calls && !server.ended) {
    if (deadline.passed()) {
      return fail(Errc::timed_out, "call");
    }
    if (auto waited = wait_for_servers(deadline); !waited) {
      return waited;
    }
    look_after_servers();
  }
  return {};
}

Result<CallRoom> ClientPort::lend(ServerLink& server) {
  return server.requests->take_chunk().transform([&](std::uint32_t chunk) {
    return CallRoom{.owner = server.shared_from_this(), .chunk = CallChunk(*server.requests, chunk)};
  });
}

BegunCall& ClientPort::new_call(ServerLink& server) {
  if (free_.empty()) {
    expects(calls_.size() < most_places, "a client has at most 4,096 calls to all its servers");
    free_.push_back(static_cast<std::uint32_t>(calls_.size()));
    calls_.push_back(std::make_unique<BegunCall>());
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  BegunCall& call = *calls_[place];
  call.number = ++begun_ << place_bits | place;
  call.server = &server;
  call.server_pid = server.pid;
  call.next_part = 0;
  call.owed = 0;
  call.end = BegunCall::End::none;
  call.in_use = true;
  call.settled = call.gave_up = call.forgotten = call.owes_cancel = false;
  call.may_have_been_seen = true;
  return call;
}

Result<BegunCall*> ClientPort::begin(ServerLink& server, const Outgoing& request, Deadline deadline) {
  if (server.outstanding >= options_.max_calls) {
    if (auto waited = wait_for_room(server, deadline); !waited) {
      return fail(std::move(waited.error()));
    }
  }
  if (server.ended) {
    return fail(Error(*server.ended, "call").on(inbox_name_).because("its server has not seen the request"));
  }
  BegunCall& call = new_call(server);
  call.deadline = deadline;
  call.message = server.requests->next();
  const CallHead head{.number = call.number,
                      .detail = deadline.nanoseconds(),
                      .kind = CallKind::call,
                      .calls = static_cast<std::uint8_t>(options_.max_calls),
                      .window = static_cast<std::uint16_t>(options_.window),
                      .count = options_.max_held};
  if (auto sent = publish_call(*server.requests, head, request, deadline); !sent) [[unlikely]] {
    call.in_use = false;
    free_.push_back(static_cast<std::uint32_t>(call.number & (most_places - 1)));
    return fail(std::move(sent.error()));
  }
  ++server.outstanding;
  return &call;
}

Result<BegunCall*> ClientPort::begin(ServerLink& server, Bytes request, Deadline deadline) {
  if (request.size() <= most_inline_payload) {
    return begin(server, Outgoing::copy_of(request), deadline);
  }
  if (request.size() > request_.longest) {
    return fail(too_long("call", request_.longest, request.size()));
  }
  return lend(server).and_then([&](CallRoom room) {
    std::memcpy(room.chunk.data(), request.data(), request.size());
    return begin(server, room, request.size(), deadline);
  });
}

Result<BegunCall*> ClientPort::begin(ServerLink& server, CallRoom& room, std::uint64_t bytes, Deadline deadline) {
  auto begun = begin(server, Outgoing::in_chunk(room.chunk.number(), bytes), deadline);
  if (begun) {
    room.chunk.forget();
  }
  return begun;
}

Result<void> ClientPort::say(BegunCall& call, CallKind kind, std::uint32_t count) {
  if (call.server->ended) {
    return {};
  }
  return publish_call(*call.server->requests, {.number = call.number, .kind = kind, .count = count},
                      Outgoing::nothing(), immediately);
}

// Its place is free once the server has said that it is done with it, too.
void ClientPort::give_up(BegunCall& call, BegunCall::End how) {
  call.end = how;
  call.gave_up = true;
  call.owes_cancel = !say(call, CallKind::cancel, 0);
  owes_ |= call.owes_cancel;
}

void ClientPort::cancel(BegunCall& call) {
  if (call.end == BegunCall::End::none) {
    call.parts.clear();
    give_up(call, BegunCall::End::cancelled);
  }
}

void ClientPort::end(BegunCall& call, BegunCall::End how) {
  call.end = call.gave_up ? call.end : how;
  settle(call);
}

// Nothing more comes of it from its server.
void ClientPort::settle(BegunCall& call) {
  call.settled = true;
  --call.server->outstanding;
  if (call.forgotten) {
    free(call);
  } else if (call.bell) {
    call.bell->ring();
  }
}

void ClientPort::forget(BegunCall& call) {
  cancel(call);
  call.parts.clear();
  call.bell.reset();
  call.forgotten = true;
  if (call.settled) {
    free(call);
  }
}

void ClientPort::free(BegunCall& call) {
  call.in_use = false;
  call.refusal = {};
  free_.push_back(static_cast<std::uint32_t>(call.number & (most_places - 1)));
}

void ClientPort::end_all_of(ServerLink& server, Errc how) {
  links_.end(server, how);
  for (const auto& call : calls_) {
    if (call->in_use && call->server == &server && !call->settled) {
      call->may_have_been_seen = server.requests->may_have_been_seen(call->message);
      end(*call, how == Errc::closed ? BegunCall::End::closed : BegunCall::End::peer_died);
    }
  }
  ended_ = true;
}

void ClientPort::pay_what_is_owed() {
  owes_ = false;
  for (const auto& call : calls_) {
    if (!call->in_use || call->settled) {
      continue;
    }
    if (call->owes_cancel) {
      call->owes_cancel = !say(*call, CallKind::cancel, 0);
    }
    if (call->owed >= (options_.window + 1) / 2 && say(*call, CallKind::credit, call->owed)) {
      call->owed = 0;
    }
    owes_ |= call->owes_cancel || call->owed >= (options_.window + 1) / 2;
  }
}

void ClientPort::look_after_servers() {
  [[maybe_unused]] const auto told_by_choose = links_.meet();
  links_.look_who_has_left([this](Token server) { return inbox_->hears(server); },
                           [this](ServerLink& server, Errc how) { end_all_of(server, how); });
  if (std::exchange(ended_, false)) {
    links_.forget_the_ended();
  }
  if (owes_) {
    pay_what_is_owed();
  }
}

}  // namespace tenon
