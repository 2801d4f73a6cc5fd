#pragma once
/// glibc's locks between processes, and calls that several situations make.
#include "room.hpp"

#include <array>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace stuck {

inline void make_mutex(pthread_mutex_t& mutex, int robust = PTHREAD_MUTEX_STALLED) {
  pthread_mutexattr_t attributes{};
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, robust);
  ::pthread_mutex_init(&mutex, &attributes);
}

inline void make_condition(pthread_cond_t& condition) {
  pthread_condattr_t attributes{};
  ::pthread_condattr_init(&attributes);
  ::pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_cond_init(&condition, &attributes);
}

inline void make_rw_lock(pthread_rwlock_t& lock) {
  pthread_rwlockattr_t attributes{};
  ::pthread_rwlockattr_init(&attributes);
  ::pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_rwlock_init(&lock, &attributes);
}

/// By a process that is gone afterwards: the test maps no memory.
template <class Make>
void once(Room& room, Make make) {
  const pid_t maker = room.start({}, [&] {
    make();
    live();
  });
  room.kill(maker);
}

inline void read_byte(int descriptor) {
  char byte = 0;
  [[maybe_unused]] const auto got = ::read(descriptor, &byte, 1);
}

inline void fill(int descriptor) {
  const std::array<char, 4096> page{};
  while (::write(descriptor, page.data(), page.size()) > 0) {
  }
}

inline void receive_from(const std::string& queue) {
  std::array<char, 8> room{};
  ::mq_receive(::mq_open(queue.c_str(), O_RDONLY), room.data(), room.size(), nullptr);
}

inline void operate(int set, unsigned short number, short change) {
  sembuf one{.sem_num = number, .sem_op = change, .sem_flg = 0};
  ::semop(set, &one, 1);
}

struct SysvMessage {
  long type = 1;
  std::array<char, 8> text = {};
};

inline sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

inline int listen_at(const std::string& path, int type = SOCK_STREAM) {
  const int listener = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path);
  ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(listener, 0);
  return listener;
}

inline int connect_to(const std::string& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path);
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? socket : -1;
}

inline void connect_until_full(const std::string& path) {
  while (connect_to(path) != -1) {
  }
}

}  // namespace stuck
