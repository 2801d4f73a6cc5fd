// The kernel's queues and its doorbell, of which the wrapper is counted alone: the kernel's instructions are not.
#include <tenon/ipc/eventfd/eventfd.hpp>
#include <tenon/ipc/posix_queue/posix_queue.hpp>
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/token.hpp>
#include <guard/rooms.hpp>

#include <array>
#include <string>

namespace guard {

using tenon::never;

namespace {

constexpr std::size_t message = 64;

void count_posix(Paths& paths) {
  const std::string name = "/guard-" + tenon::Token::random().hex();
  auto queue = tenon::PosixQueue::create(name, {.messages = 2, .message_bytes = message}).or_throw();
  tenon::PosixQueue::unlink(name).or_throw();
  std::array<std::byte, message> bytes{};
  paths.count("posix queue: 64 B, send and receive",
              [&] { must(queue.send(bytes, 1, never).has_value() && queue.receive(bytes, never).has_value()); });
}

void count_system_v(Paths& paths) {
  auto queue = tenon::SysvQueue::create(tenon::SysvKey::unshared()).or_throw();
  const tenon::RemoveOnExit guard(tenon::SysvQueue::remove, queue.id());
  std::array<std::byte, message> bytes{};
  paths.count("sysv queue: 64 B, send and receive", [&] {
    must(queue.send(bytes, 1, never).has_value() &&
         queue.receive(bytes, tenon::SysvQueue::Types::any(), never).has_value());
  });
}

}  // namespace

void count_kernel_queues(Paths& paths) {
  count_posix(paths);
  count_system_v(paths);
  auto bell = tenon::EventFd::create().or_throw();
  paths.count("eventfd: post and wait", [&] { must(bell.post(1, never).has_value() && bell.wait(never).has_value()); });
}

}  // namespace guard
