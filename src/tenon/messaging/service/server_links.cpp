#include <tenon/messaging/service/server_links.hpp>

#include <tenon/os/clock.hpp>

#include <algorithm>
#include <ctime>

namespace tenon {

namespace {

constexpr std::int64_t between_looks = 50'000'000;

// Of the last tick, 4 ms old at most: a look at it is a load.
std::int64_t coarse_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

ServerLinks::ServerLinks(const Holder& holder, ServiceFolder folder, const PublisherOptions& options,
                         const PublisherShape& shape, const MessageType& type, Token token)
    : holder_(holder),
      folder_(std::move(folder)),
      census_(holder),
      options_(options),
      shape_(shape),
      type_(type),
      token_(token) {}

// The first turn is anybody's: clients that call once and go would all call the same server otherwise.
ServerLink* ServerLinks::choose(std::uint32_t max_calls) noexcept {
  ServerLink* best = nullptr;
  if (!links_.empty() && turn_ >= links_.size()) {
    turn_ = token_.value() % links_.size();
  }
  for (std::size_t i = 0; i < links_.size(); ++i) {
    ServerLink& link = *links_[turn_ + i < links_.size() ? turn_ + i : turn_ + i - links_.size()];
    const bool free = !link.ended && link.outstanding < max_calls;
    if (free && (best == nullptr || link.outstanding < best->outstanding)) {
      best = &link;
    }
  }
  if (links_.size() > 1) {
    turn_ = (turn_ + 1) % links_.size();
  }
  return best;
}

ServerLink* ServerLinks::find(Token token) noexcept {
  const auto found =
      std::ranges::find_if(links_, [&](const auto& link) { return link->server.token == token && !link->ended; });
  return found == links_.end() ? nullptr : found->get();
}

bool ServerLinks::empty() const noexcept { return living() == 0; }

std::size_t ServerLinks::living() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(links_, [](const auto& link) { return !link->ended; }));
}

bool ServerLinks::is_due() noexcept {
  const std::int64_t now = coarse_now();
  if (now - looked_at_ < between_looks) {
    return false;
  }
  looked_at_ = now;
  return true;
}

Result<void> ServerLinks::meet() {
  if (!folder_.has_changed() && !unfinished_) {
    return check_mismatch();
  }
  const auto members = folder_.members();
  if (!members) {
    return fail(Error(members.error()));
  }
  const auto is_there = [&](const ServiceMember& member) {
    return std::ranges::find(*members, member) != members->end();
  };
  std::erase_if(refused_, [&](const ServiceMember& member) { return !is_there(member); });
  unfinished_ = false;
  if (refused_.empty()) {
    mismatch_.reset();
  }
  Result<void> met;
  for (const ServiceMember& member : *members) {
    const bool is_new = member.role == ServiceRole::server && std::ranges::find(refused_, member) == refused_.end() &&
                        std::ranges::none_of(links_, [&](const auto& link) { return link->server == member; });
    if (!is_new) {
      continue;
    }
    if (auto one = meet(member); !one && met) {
      met = std::move(one);
    }
  }
  return met ? check_mismatch() : std::move(met);
}

// Those of another type are told of where nobody else is.
Result<void> ServerLinks::check_mismatch() const {
  return mismatch_ && empty() && !refused_.empty() ? fail(Error(*mismatch_)) : Result<void>();
}

Result<void> ServerLinks::meet(const ServiceMember& server) {
  if (census_.is_gone(server.life)) {
    folder_.sweep(census_);
    return {};
  }
  auto folder = folder_.enter(server);
  if (folder.failed_with(Errc::not_found)) {
    unfinished_ = true;
    return {};
  }
  if (!folder) {
    return fail(std::move(folder.error()));
  }
  const auto pid = check_type(*folder, server);
  if (!pid) {
    // Of one that writes garbage nothing is asked, and nothing told.
    refused_.push_back(server);
    if (pid.error() == Errc::type_mismatch || pid.error() == Errc::version_mismatch) {
      mismatch_ = pid.error();
    }
    return {};
  }
  return CallPublisher::create_at(std::move(*folder), holder_, options_, shape_, type_, token_)
      .transform([&](std::unique_ptr<CallPublisher> requests) {
        links_.push_back(std::make_shared<ServerLink>(server, *pid, std::move(requests)));
      });
}

Result<std::int32_t> ServerLinks::check_type(const TopicFolder& folder, const ServiceMember& server) const {
  auto file = folder.open(server.inbox());
  if (!file) {
    return fail(std::move(file.error()));
  }
  const auto bytes = bytes_of_file(file->view());
  const auto header = read_header<SubscriberHeader>(file->view(), server.inbox());
  if (!bytes || !header) {
    return fail(Error(bytes ? header.error() : bytes.error()));
  }
  return read_type_of(file->view(), header->head, *bytes).and_then([&](const StoredType& stored) {
    auto checked = tenon::check_type(stored, type_.description, type_.fields);
    return checked ? Result<std::int32_t>(header->head.pid) : fail(std::move(checked.error()).on(folder_.service()));
  });
}

void ServerLinks::look_who_has_left(const std::function<bool(Token)>& may_speak,
                                    const std::function<void(ServerLink&, Errc)>& left) {
  // By number: who is told of an end may meet another server.
  for (std::size_t i = 0; i < links_.size(); ++i) {
    ServerLink& link = *links_[i];
    if (link.ended) {
      continue;
    }
    const bool died = census_.is_gone(link.server.life);
    if ((died || !folder_.is_open(link.server)) && !may_speak(link.server.token)) {
      left(link, died ? Errc::peer_died : Errc::closed);
    }
  }
}

void ServerLinks::end(ServerLink& link, Errc how) {
  link.ended = how;
  refused_.push_back(link.server);
}

void ServerLinks::forget_the_ended() {
  const auto is_over = [](const auto& link) { return link->ended && link->outstanding == 0; };
  if (std::ranges::none_of(links_, is_over)) {
    return;
  }
  std::erase_if(links_, is_over);
  turn_ = SIZE_MAX;
}

void ServerLinks::close() {
  links_.clear();
  folder_.sweep(census_);
  folder_.remove_if_empty();
}

}  // namespace tenon
