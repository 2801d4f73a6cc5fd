// NNG: push and pull over ipc://, with messages that are written and read where they lie. Polling is
// NNG_FLAG_NONBLOCK; it lets the library's own threads run, which are on the same processor.
#include <harness/payload.hpp>
#include <peers/peer.hpp>

#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <sched.h>

namespace peers {

namespace {

using tenon::MutableBytes;

void check(int returned, const char* call) {
  if (returned != 0) {
    fail(call, ::nng_strerror(returned));
  }
}

std::string endpoint(MutableBytes shared) { return "ipc://" + topics::path_of_start(shared) + ".nng"; }

// What a protocol does not buffer is refused, and then it has no such queue.
void set_buffers(nng_socket socket, const Cell& cell) {
  const int length = static_cast<int>(queue_length(cell.bytes));
  (void)::nng_socket_set_int(socket, NNG_OPT_SENDBUF, length);
  (void)::nng_socket_set_int(socket, NNG_OPT_RECVBUF, length);
}

// Again until it does not say NNG_EAGAIN, where that is how one waits.
template <class Call>
void until_done(Wait wait, const char* name, Call call) {
  int returned = 0;
  while ((returned = call(wait == Wait::polling ? NNG_FLAG_NONBLOCK : 0)) != 0) {
    check(returned == NNG_EAGAIN ? 0 : returned, name);
    ::sched_yield();
  }
}

struct Sender {
  nng_socket socket;
  Cell cell;
  std::uint64_t at = 0;

  void step() {
    nng_msg* message = nullptr;
    check(::nng_msg_alloc(&message, cell.bytes), "nng_msg_alloc");
    harness::write_payload({static_cast<std::byte*>(::nng_msg_body(message)), cell.bytes}, at++);
    until_done(cell.wait, "nng_sendmsg", [&](int flags) { return ::nng_sendmsg(socket, message, flags); });
  }
};

struct Receiver {
  nng_socket socket;
  Cell cell;
  std::uint64_t at = 0;

  void step() {
    nng_msg* message = nullptr;
    until_done(cell.wait, "nng_recvmsg", [&](int flags) { return ::nng_recvmsg(socket, &message, flags); });
    harness::check_payload({static_cast<std::byte*>(::nng_msg_body(message)), ::nng_msg_len(message)}, at++);
    ::nng_msg_free(message);
  }
};

Sender sender_of(MutableBytes shared, const Cell& cell) {
  nng_socket socket = NNG_SOCKET_INITIALIZER;
  check(::nng_push0_open(&socket), "nng_push0_open");
  set_buffers(socket, cell);
  // Without the flag it fails where nobody listens yet; with it, it tries again by itself.
  check(::nng_dial(socket, endpoint(shared).c_str(), nullptr, NNG_FLAG_NONBLOCK), "nng_dial");
  return {socket, cell};
}

Receiver receiver_of(MutableBytes shared, const Cell& cell) {
  nng_socket socket = NNG_SOCKET_INITIALIZER;
  check(::nng_pull0_open(&socket), "nng_pull0_open");
  set_buffers(socket, cell);
  check(::nng_listen(socket, endpoint(shared).c_str(), nullptr, 0), "nng_listen");
  return {socket, cell};
}

}  // namespace

Peer nng() {
  return {.name = "NNG", .subject = [](const Cell& cell) {
            return subject_of(
                "NNG", cell, queue_length(cell.bytes), [=](MutableBytes shared) { return sender_of(shared, cell); },
                [=](MutableBytes shared) { return receiver_of(shared, cell); });
          }};
}

}  // namespace peers
