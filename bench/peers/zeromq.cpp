// ZeroMQ: PUSH and PULL over ipc://, with messages that are written and read where they lie. Polling is ZMQ_DONTWAIT;
// it lets the context's own thread run, which is on the same processor.
#include <harness/payload.hpp>
#include <peers/peer.hpp>

#include <algorithm>
#include <cerrno>
#include <sched.h>
#include <zmq.h>

namespace peers {

namespace {

using tenon::MutableBytes;

void check(bool done, const char* call) {
  if (!done) {
    fail(call, ::zmq_strerror(::zmq_errno()));
  }
}

// Of a side's process, for both of its sockets.
void* context() {
  static void* const context = ::zmq_ctx_new();
  return context;
}

std::string endpoint(MutableBytes shared) { return "ipc://" + topics::path_of_start(shared) + ".zmq"; }

void* open(int type, const Cell& cell) {
  void* const socket = ::zmq_socket(context(), type);
  check(socket != nullptr, "zmq_socket");
  const int length = static_cast<int>(queue_length(cell.bytes));
  check(::zmq_setsockopt(socket, ZMQ_SNDHWM, &length, sizeof length) == 0, "zmq_setsockopt");
  check(::zmq_setsockopt(socket, ZMQ_RCVHWM, &length, sizeof length) == 0, "zmq_setsockopt");
  return socket;
}

// Again until it does not say EAGAIN, where that is how one waits.
template <class Call>
void until_done(Wait wait, const char* name, Call call) {
  while (call(wait == Wait::polling ? ZMQ_DONTWAIT : 0) == -1) {
    check(::zmq_errno() == EAGAIN || ::zmq_errno() == EINTR, name);
    ::sched_yield();
  }
}

struct Sender {
  void* socket;
  Cell cell;
  std::uint64_t at = 0;

  void step() {
    zmq_msg_t message;
    check(::zmq_msg_init_size(&message, cell.bytes) == 0, "zmq_msg_init_size");
    harness::write_payload({static_cast<std::byte*>(::zmq_msg_data(&message)), cell.bytes}, at++);
    until_done(cell.wait, "zmq_msg_send", [&](int flags) { return ::zmq_msg_send(&message, socket, flags); });
  }
};

struct Receiver {
  void* socket;
  Cell cell;
  std::uint64_t at = 0;

  void step() {
    zmq_msg_t message;
    ::zmq_msg_init(&message);
    until_done(cell.wait, "zmq_msg_recv", [&](int flags) { return ::zmq_msg_recv(&message, socket, flags); });
    harness::check_payload({static_cast<std::byte*>(::zmq_msg_data(&message)), ::zmq_msg_size(&message)}, at++);
    ::zmq_msg_close(&message);
  }
};

}  // namespace

Peer zeromq() {
  return {.name = "ZeroMQ", .subject = [](const Cell& cell) {
            return subject_of(
                "ZeroMQ", cell, queue_length(cell.bytes),
                [=](MutableBytes shared) {
                  void* const socket = open(ZMQ_PUSH, cell);
                  check(::zmq_connect(socket, endpoint(shared).c_str()) == 0, "zmq_connect");
                  return Sender{socket, cell};
                },
                [=](MutableBytes shared) {
                  void* const socket = open(ZMQ_PULL, cell);
                  check(::zmq_bind(socket, endpoint(shared).c_str()) == 0, "zmq_bind");
                  return Receiver{socket, cell};
                });
          }};
}

}  // namespace peers
