#include <tenon/channel/scheme.hpp>

#include <tenon/channel/fifo_channel.hpp>
#include <tenon/channel/pipe_channel.hpp>
#include <tenon/channel/posix_memory_channel.hpp>
#include <tenon/channel/posix_queue_channel.hpp>
#include <tenon/channel/queue_channel.hpp>
#include <tenon/channel/socket_channel.hpp>
#include <tenon/channel/stream_channel.hpp>
#include <tenon/channel/sysv_memory_channel.hpp>
#include <tenon/channel/sysv_queue_channel.hpp>
#include <tenon/channel/topic_channel.hpp>

#include <algorithm>
#include <array>

namespace tenon {

namespace {

constexpr std::array rows = {
    Scheme{.name = "fifo",
           .rest = "PATH",
           .open_sender = open_fifo_sender,
           .open_receiver = open_fifo_receiver,
           .remove = remove_fifo},
    Scheme{.name = "pipe",
           .rest = "FD",
           .open_sender = open_pipe_sender,
           .open_receiver = open_pipe_receiver,
           .remove = [](const Domain&, const std::string&, std::uint64_t) {}},
    Scheme{.name = "mq",
           .rest = "/NAME",
           .open_sender = open_posix_queue_sender,
           .open_receiver = open_posix_queue_receiver,
           .remove = remove_posix_queue,
           .priority = true},
    Scheme{.name = "sysvq",
           .rest = "KEY",
           .open_sender = open_sysv_queue_sender,
           .open_receiver = open_sysv_queue_receiver,
           .remove = remove_sysv_queue,
           .priority = true},
    Scheme{.name = "shm",
           .rest = "NAME",
           .open_sender = open_posix_memory_sender,
           .open_receiver = open_posix_memory_receiver,
           .remove = remove_posix_memory},
    Scheme{.name = "sysv-shm",
           .rest = "KEY",
           .open_sender = open_sysv_memory_sender,
           .open_receiver = open_sysv_memory_receiver,
           .remove = remove_sysv_memory},
    Scheme{.name = "unix",
           .rest = "PATH",
           .open_sender = open_stream_socket_sender,
           .open_receiver = open_stream_socket_receiver,
           .remove = remove_socket,
           .credentials = true},
    Scheme{.name = "dgram",
           .rest = "PATH",
           .open_sender = open_datagram_sender,
           .open_receiver = open_datagram_receiver,
           .remove = remove_socket,
           .credentials = true},
    Scheme{.name = "seqpacket",
           .rest = "PATH",
           .open_sender = open_seqpacket_sender,
           .open_receiver = open_seqpacket_receiver,
           .remove = remove_socket,
           .credentials = true},
    Scheme{.name = "topic",
           .rest = "NAME",
           .open_sender = open_topic_sender,
           .open_receiver = open_topic_receiver,
           .remove = [](const Domain&, const std::string&, std::uint64_t) {}},
    Scheme{.name = "queue",
           .rest = "NAME",
           .open_sender = open_queue_sender,
           .open_receiver = open_queue_receiver,
           .remove = remove_queue,
           .priority = true},
    Scheme{.name = "stream",
           .rest = "NAME",
           .open_sender = open_stream_sender,
           .open_receiver = open_stream_receiver,
           .remove = remove_streams},
};

template <class Which>
std::string list_of(Which which) {
  std::string list;
  for (const Scheme& row : rows) {
    if (which(row)) {
      list += (list.empty() ? "" : ", ") + std::string(row.name) + ":" + std::string(row.rest);
    }
  }
  return list;
}

struct Split {
  const Scheme* scheme;
  std::string rest;
};

Result<Split> split(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  const auto row = std::ranges::find(rows, uri.substr(0, std::min(colon, uri.size())), &Scheme::name);
  if (colon == std::string_view::npos || row == rows.end()) {
    return fail(Error(Errc::invalid_argument).on(uri).because("a channel is one of " + known_channels()));
  }
  if (colon + 1 == uri.size()) {
    return fail(Error(Errc::invalid_argument)
                    .on(uri)
                    .because("nothing stands behind the colon, where " + std::string(row->rest) + " belongs"));
  }
  return Split{.scheme = row, .rest = std::string(uri.substr(colon + 1))};
}

Result<std::shared_ptr<const Domain>> own_domain() {
  return Domain::of_environment().transform(
      [](Domain domain) { return std::shared_ptr<const Domain>(std::make_shared<Domain>(std::move(domain))); });
}

}  // namespace

std::span<const Scheme> schemes() { return rows; }

std::string known_channels() {
  return list_of([](const Scheme&) { return true; });
}

Error no_priorities() {
  return Error(Errc::invalid_argument, "send")
      .because("this channel has no priorities; these have: " +
               list_of([](const Scheme& row) { return row.priority; }));
}

Error not_vouched() {
  return Error(Errc::invalid_argument, "receive")
      .because("the kernel does not tell who sends over this channel; it does over: " +
               list_of([](const Scheme& row) { return row.credentials; }));
}

Result<void> check_vouches(std::string_view uri) {
  return split(uri).and_then(
      [&](const Split& found) { return found.scheme->credentials ? Result<void>() : fail(not_vouched().on(uri)); });
}

Result<void> check_has_priorities(std::string_view uri) {
  return split(uri).and_then(
      [&](const Split& found) { return found.scheme->priority ? Result<void>() : fail(no_priorities().on(uri)); });
}

void remove_channel_object(const Domain& domain, const std::string& uri, std::uint64_t object) {
  if (auto found = split(uri)) {
    found->scheme->remove(domain, found->rest, object);
  }
}

Result<Sender> open_sender(std::string_view uri, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return split(uri).and_then(
      [&](const Split& found) { return found.scheme->open_sender(found.rest, domain, deadline); });
}

Result<Receiver> open_receiver(std::string_view uri, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return split(uri).and_then(
      [&](const Split& found) { return found.scheme->open_receiver(found.rest, domain, deadline); });
}

Result<Sender> open_sender(std::string_view uri, Deadline deadline) {
  return split(uri).and_then([&](const Split&) {
    return own_domain().and_then(
        [&](std::shared_ptr<const Domain> domain) { return open_sender(uri, std::move(domain), deadline); });
  });
}

Result<Receiver> open_receiver(std::string_view uri, Deadline deadline) {
  return split(uri).and_then([&](const Split&) {
    return own_domain().and_then(
        [&](std::shared_ptr<const Domain> domain) { return open_receiver(uri, std::move(domain), deadline); });
  });
}

}  // namespace tenon
