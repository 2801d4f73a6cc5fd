#include "channel_rows.hpp"

#include <tenon/channel/frame.hpp>
#include <tenon/channel/slot_carrier.hpp>
#include <tenon/channel/stream_carrier.hpp>
#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/ipc/posix_queue/posix_queue.hpp>
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/ipc/unix_datagram/unix_datagram.hpp>
#include <tenon/ipc/unix_seqpacket/unix_seqpacket.hpp>
#include <tenon/ipc/unix_stream/unix_stream.hpp>
#include <tenon/messaging/queue/queue.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/token.hpp>

#include <kit/unique.hpp>

#include <filesystem>

namespace transfer {

namespace {

using namespace tenon;

constexpr std::size_t pipe_limit = pipe_atomic_size - Frame::header_size;
constexpr std::size_t queue_limit = 8192 - Frame::header_size;  // of POSIX and System V queues by default

// For as long as it takes, a member of the domain that the command line uses.
template <class Use>
void as_member(Use use) {
  const Domain domain = Domain::of_environment().or_throw();
  const Life life = Life::join(domain).or_throw();
  use(Holder::of(domain, life).or_throw());
}

ChannelRow fifo() {
  return {.scheme = "fifo",
          .limit = pipe_limit,
          .rest = [](const std::string& directory) { return directory + "/fifo"; },
          .inject =
              [](const std::string& path, Bytes bytes) {
                Fifo::open(path).or_throw().try_open_for_writing().or_throw().write(bytes, never).or_throw();
              },
          .exists = [](const std::string& path) { return std::filesystem::exists(path); }};
}

ChannelRow pipe() {
  return {.scheme = "pipe",
          .limit = pipe_limit,
          .rest = {},
          .inject = {},  // the test holds an end of it
          .exists = [](const std::string&) { return false; },
          .inherited = true};
}

ChannelRow posix_queue() {
  return {.scheme = "mq",
          .limit = queue_limit,
          .rest = [](const std::string&) { return "/" + kit::unique_name(); },
          .inject =
              [](const std::string& name, Bytes bytes) {
                PosixQueue::open(name, PosixQueue::Use::sending).or_throw().send(bytes, 0, never).or_throw();
              },
          .exists = [](const std::string& name) { return PosixQueue::open(name).has_value(); }};
}

ChannelRow sysv_queue() {
  const auto key_of = [](const std::string& text) { return SysvKey::parse(text).or_throw(); };
  return {.scheme = "sysvq",
          .limit = queue_limit,
          .rest =
              [](const std::string&) {
                return std::to_string(static_cast<std::uint32_t>(Token::random().value()) | 1U);  // never 0
              },
          .inject = [=](const std::string& key,
                        Bytes bytes) { SysvQueue::open(key_of(key)).or_throw().send(bytes, 1, never).or_throw(); },
          .exists = [=](const std::string& key) { return SysvQueue::open(key_of(key)).has_value(); }};
}

constexpr std::size_t slot_limit = MappedSlots::frame_bytes - Frame::header_size;

// Puts bytes into the next free slot, as some process that nobody knows.
void put_into_slots(const Mapping& memory, Bytes bytes) {
  SlotRing ring = SlotRing::open(memory.bytes()).or_throw();
  if (!ring.put(Token::random(), bytes)) {
    throw Failure(Error(Errc::would_block, "put"));
  }
}

ChannelRow posix_memory() {
  return {.scheme = "shm",
          .limit = slot_limit,
          .rest = [](const std::string&) { return kit::unique_name(); },
          .inject =
              [](const std::string& name, Bytes bytes) {
                const auto memory = PosixMemory::open(name, Access::read_write).or_throw();
                put_into_slots(memory.map(Access::read_write).or_throw(), bytes);
              },
          .exists = [](const std::string& name) { return PosixMemory::open(name, Access::read).has_value(); }};
}

ChannelRow sysv_memory() {
  const auto key_of = [](const std::string& text) { return SysvKey::parse(text).or_throw(); };
  return {.scheme = "sysv-shm",
          .limit = slot_limit,
          .rest =
              [](const std::string&) {
                return std::to_string(static_cast<std::uint32_t>(Token::random().value()) | 1U);  // never 0
              },
          .inject =
              [=](const std::string& key, Bytes bytes) {
                put_into_slots(SysvMemory::open(key_of(key)).or_throw().attach(Access::read_write).or_throw(), bytes);
              },
          .exists = [=](const std::string& key) { return SysvMemory::open(key_of(key)).has_value(); }};
}

constexpr std::size_t socket_limit = 32768 - Frame::header_size;

std::string socket_in(const std::string& directory) { return directory + "/socket"; }
bool file_exists(const std::string& path) { return std::filesystem::exists(path); }

ChannelRow stream_socket() {
  return {.scheme = "unix",
          .limit = socket_limit,
          .rest = socket_in,
          .inject = [](const std::string& path,
                       Bytes bytes) { UnixStream::connect(path, never).or_throw().write(bytes, never).or_throw(); },
          .exists = file_exists};
}

ChannelRow datagrams() {
  return {.scheme = "dgram",
          .limit = socket_limit,
          .rest = socket_in,
          .inject = [](const std::string& path,
                       Bytes bytes) { UnixDatagram::connect(path, never).or_throw().send(bytes, never).or_throw(); },
          .exists = file_exists};
}

ChannelRow seqpacket() {
  return {.scheme = "seqpacket",
          .limit = socket_limit,
          .rest = socket_in,
          .inject = [](const std::string& path,
                       Bytes bytes) { UnixSeqpacket::connect(path, never).or_throw().send(bytes, never).or_throw(); },
          .exists = file_exists};
}

ChannelRow topic() {
  return {
      .scheme = "topic",
      .limit = slot_limit,
      .rest = [](const std::string&) { return kit::unique_name(); },
      .inject =
          [](const std::string& name, Bytes bytes) {
            as_member([&](const Holder& self) {
              Publisher<Bytes>::create(self, name).or_throw().publish(bytes, never).or_throw();
            });
          },
      .exists = [](const std::string& name) { return file_exists(Domain::path_of_environment() + "/topic." + name); }};
}

ChannelRow queue() {
  return {
      .scheme = "queue",
      .limit = slot_limit,
      .rest = [](const std::string&) { return kit::unique_name(); },
      .inject =
          [](const std::string& name, Bytes bytes) {
            as_member(
                [&](const Holder& self) { Queue<Bytes>::open(self, name).or_throw().send(bytes, never).or_throw(); });
          },
      .exists = [](const std::string& name) { return file_exists(Domain::path_of_environment() + "/queue." + name); }};
}

ChannelRow stream() {
  return {.scheme = "stream",
          .limit = StreamSink::frame_bytes - Frame::header_size,
          .rest = [](const std::string&) { return kit::unique_name(); },
          .inject =
              [](const std::string& name, Bytes bytes) {
                as_member([&](const Holder& self) {
                  StreamWriter::open(self, new_stream_name(name), never).or_throw().write(bytes, never).or_throw();
                });
              },
          .exists =
              [](const std::string& name) {
                const Domain domain = Domain::of_environment().or_throw();
                return !streams_of(domain, name, StreamRole::writer).or_throw().empty() ||
                       !streams_of(domain, name, StreamRole::reader).or_throw().empty();
              }};
}

}  // namespace

std::vector<ChannelRow> channel_rows() {
  return {fifo(),          pipe(),      posix_queue(), sysv_queue(), posix_memory(), sysv_memory(),
          stream_socket(), datagrams(), seqpacket(),   topic(),      queue(),        stream()};
}

}  // namespace transfer
