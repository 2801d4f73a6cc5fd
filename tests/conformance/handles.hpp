#pragma once
/// Every kind of handle, and how to get one. The suite in handle_test.cpp holds each to what all handles owe.
#include <tenon/ipc/eventfd/eventfd.hpp>
#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/ipc/file_lock/file_lock.hpp>
#include <tenon/ipc/memfd/memfd.hpp>
#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/ipc/posix_queue/posix_queue.hpp>
#include <tenon/ipc/posix_semaphore/named_semaphore.hpp>
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/ipc/unix_datagram/unix_datagram.hpp>
#include <tenon/ipc/unix_seqpacket/unix_seqpacket_listener.hpp>
#include <tenon/ipc/unix_stream/unix_listener.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/life.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/stop.hpp>

#include <kit/unique.hpp>
#include <algorithm>
#include <cstddef>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <tuple>
#include <type_traits>
#include <unistd.h>

namespace conformance {

/// A text that can stand among template arguments.
template <std::size_t N>
struct Text {
  char letters[N];
  constexpr Text(const char (&text)[N]) {  // NOLINT(google-explicit-constructor): a literal is one
    std::copy_n(text, N, letters);
  }
};

/// A kind of handle: its name, and a function that makes one.
template <Text text, auto make>
struct Kind {
  using Handle = decltype(make());
  static constexpr const char* name = text.letters;
  static Handle made() { return make(); }
};

inline tenon::Fifo unnamed_fifo() {
  const kit::UniqueDirectory directory;
  auto fifo = tenon::Fifo::create(directory / "fifo").or_throw();
  tenon::Fifo::unlink(fifo.path()).or_throw();
  return fifo;
}

inline tenon::Domain removed_domain() {
  const kit::UniqueDirectory directory;
  return tenon::Domain::open(directory.path()).or_throw();
}

// In one directory for the whole program, for a member needs its domain.
inline tenon::Life member() {
  static const kit::UniqueDirectory directory;
  return tenon::Life::join(tenon::Domain::open(directory.path()).or_throw()).or_throw();
}

inline tenon::FileLock unnamed_lock() {
  const kit::UniqueDirectory directory;
  auto lock = tenon::FileLock::create(directory / "lock").or_throw();
  tenon::FileLock::unlink(lock.path()).or_throw();
  return lock;
}

inline tenon::NamedSemaphore unlinked_semaphore() {
  const std::string name = kit::unique_name();
  auto semaphore = tenon::NamedSemaphore::create(name, 0).or_throw();
  tenon::NamedSemaphore::unlink(name).or_throw();
  return semaphore;
}

inline tenon::PosixQueue unnamed_queue() {
  const std::string name = "/" + kit::unique_name("handle");
  auto queue = tenon::PosixQueue::create(name, {.messages = 1, .message_bytes = 64}).or_throw();
  tenon::PosixQueue::unlink(name).or_throw();
  return queue;
}

inline tenon::PosixMemory unnamed_memory() {
  auto memory = tenon::PosixMemory::create(kit::unique_name("handle"), 4096).or_throw();
  tenon::PosixMemory::unlink(memory.name()).or_throw();
  return memory;
}

inline tenon::Mapping attached_memory() {
  const auto memory = tenon::SysvMemory::create(tenon::SysvKey::unshared(), 4096).or_throw();
  const tenon::RemoveOnExit marked(tenon::SysvMemory::remove, memory.id());
  return memory.attach(tenon::Access::read_write).or_throw();
}

// A row each. Handles that hold nothing of this process (a System V identifier) have nothing to owe here.
// clang-format off
using Kinds = std::tuple<
    Kind<"Fd", [] { return tenon::fd_from(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open").or_throw(); }>,
    Kind<"Mapping", [] { return tenon::Mapping::shared_with_children(4096).or_throw(); }>,
    Kind<"Stop", [] { return tenon::Stop::create().or_throw(); }>,
    Kind<"Domain", [] { return removed_domain(); }>,
    Kind<"Child", [] { return tenon::spawn([] { return 0; }).or_throw(); }>,
    Kind<"Life", [] { return member(); }>,
    Kind<"ReadEnd", [] { return tenon::Pipe::pair().or_throw().reader; }>,
    Kind<"WriteEnd", [] { return tenon::Pipe::pair().or_throw().writer; }>,
    Kind<"Pipe", [] { return tenon::Pipe::pair().or_throw(); }>,
    Kind<"Fifo", [] { return unnamed_fifo(); }>,
    Kind<"EventFd", [] { return tenon::EventFd::create().or_throw(); }>,
    Kind<"FileLock", [] { return unnamed_lock(); }>,
    Kind<"NamedSemaphore", [] { return unlinked_semaphore(); }>,
    Kind<"PosixMemory", [] { return unnamed_memory(); }>,
    Kind<"SysvMemory_map", [] { return attached_memory(); }>,
    Kind<"Memfd", [] { return tenon::Memfd::create("handle", 4096).or_throw(); }>,
    Kind<"UnixStream", [] { return tenon::UnixStream::pair().or_throw().first; }>,
    Kind<"UnixListener", [] { return tenon::UnixListener::create("@" + kit::unique_name()).or_throw(); }>,
    Kind<"UnixDatagram", [] { return tenon::UnixDatagram::pair().or_throw().first; }>,
    Kind<"UnixSeqpacket", [] { return tenon::UnixSeqpacket::pair().or_throw().first; }>,
    Kind<"UnixSeqpacketListener", [] { return tenon::UnixSeqpacketListener::create("@" + kit::unique_name()).or_throw(); }>,
    Kind<"PosixQueue", [] { return unnamed_queue(); }>
>;
// clang-format on

}  // namespace conformance
