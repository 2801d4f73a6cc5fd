#pragma once
/// The system calls in which a thread may sleep until another process does something. One table. syscalls(2)
#include <tenon/inspect/snapshot.hpp>
#include <tenon/inspect/waits/sleepers.hpp>

#include <cstdint>

namespace tenon::inspect {

/// By what a call names the thing that it waits for.
enum class Subject : std::uint8_t {
  descriptor,   ///< the first argument is one
  path,         ///< of a FIFO that it opens
  address,      ///< of a socket to which it connects
  queue,        ///< the identifier of a System V queue
  set,          ///< that of a set of semaphores, and what it would do to them
  word,         ///< a futex
  words,        ///< several
  file_lock,    ///< a descriptor, of a file
  descriptors,  ///< a list of them: poll(2)
  masks,        ///< three sets of bits: select(2)
  epoll,        ///< a descriptor that stands for others
  child,        ///< a process
  hidden,       ///< what it waits for stands nowhere that could be read
};

/// Where a call keeps the time at which it gives up.
enum class Patience : std::uint8_t { endless, until_pointer, for_milliseconds };

struct SystemCall {
  long number;
  const char* name;
  Subject subject;
  Need need;
  Patience patience = Patience::endless;
  std::size_t patience_at = 0;  ///< which argument
};

/// Nothing for calls that wait for no other process, as nanosleep(2).
const SystemCall* system_call(long number) noexcept;

/// Whether it will go on by itself some time, whatever the others do.
bool gives_up(const SystemCall& what, const Call& call) noexcept;

}  // namespace tenon::inspect
