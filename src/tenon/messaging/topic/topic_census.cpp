#include <tenon/messaging/topic/topic_census.hpp>

#include <tenon/messaging/topic/publisher_file.hpp>
#include <tenon/messaging/topic/subscriber_file.hpp>

#include <algorithm>
#include <unistd.h>

namespace tenon {

namespace {

bool says_closed(const TopicFolder& folder, const EndpointName& name) {
  const auto file = folder.open(name);
  std::uint32_t closed = 0;
  return file &&
         ::pread(file->raw(), &closed, sizeof closed, state_at + offsetof(PublisherState, closed)) ==
             static_cast<ssize_t>(sizeof closed) &&
         closed != 0;
}

// Whether it has received all of a publisher that has ended. A file that is none keeps nothing back.
bool has_drained(const SubscriberFile& subscriber, Token publisher) noexcept {
  const auto row = subscriber.row_of(publisher);
  return row && row->row->drained.load(std::memory_order_relaxed) == 1;  // a hint for cleaning: no data depend on it
}

}  // namespace

bool TopicCensus::is_gone(Token life) {
  // One's own is asked by nobody: while it is in doubt, each call that shares anything says so.
  if (life == own_ || gone_.contains(life.value())) {
    return life != own_;
  }
  const bool gone = deaths_.took(life).value_or(false);
  if (gone) {
    gone_.insert(life.value());
  }
  return gone;
}

void TopicCensus::sweep(const TopicFolder& folder) {
  if (const auto names = folder.names()) {
    sweep(folder, *names);
  }
}

Result<void> TopicCensus::prepare(const TopicFolder& folder, const MessageType& type) {
  const auto names = folder.names();
  if (!names) {
    return fail(Error(names.error()));
  }
  sweep(folder, *names);
  return check_publishers_types(folder, *names, type);
}

void TopicCensus::sweep(const TopicFolder& folder, const Names& names) {
  std::vector<EndpointName> ended;
  std::vector<SubscriberFile> living;
  for (const EndpointName& name : names) {
    const bool gone = is_gone(name.life);
    if (gone && (name.unfinished || name.kind == EndpointKind::subscriber)) {
      folder.remove(name);
    } else if (name.kind == EndpointKind::publisher && !name.unfinished && (gone || says_closed(folder, name))) {
      ended.push_back(name);
    }
  }
  if (ended.empty()) {
    return;
  }
  for (const EndpointName& name : names) {
    if (name.kind == EndpointKind::subscriber && !name.unfinished) {
      if (auto file = SubscriberFile::open(folder, name)) {
        living.push_back(std::move(*file));
      }
    }
  }
  for (const EndpointName& name : ended) {
    if (std::ranges::all_of(living, [&](const SubscriberFile& file) { return has_drained(file, name.token); })) {
      folder.remove(name);
    }
  }
}

Result<void> TopicCensus::check_publishers_types(const TopicFolder& folder, const Names& names,
                                                 const MessageType& type) {
  for (const EndpointName& name : names) {
    if (name.kind != EndpointKind::publisher || name.unfinished || is_gone(name.life)) {
      continue;
    }
    auto file = folder.open(name);
    if (!file) {
      continue;  // it has left meanwhile
    }
    const auto header = bytes_of_file(file->view()).and_then([&](std::uint64_t bytes) {
      return read_publisher_header(file->view(), bytes, name, type);
    });
    // Whoever writes garbage into its own file keeps nobody else from coming.
    if (!header && !(header.error() == Errc::corrupt)) {
      return fail(Error(header.error()).on(folder.topic()));
    }
  }
  return {};
}

}  // namespace tenon
