/// Messages over a datagram socket arrive as they were sent: each by itself, in order, none lost.
#include <tenon/ipc/unix_datagram/unix_datagram.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <unistd.h>
#include <vector>

using namespace tenon;

namespace {

const std::vector<std::string> messages = {"one", "", "a longer one", "the last"};

// For a partner that may never come.
Deadline soon() { return after(std::chrono::seconds(10)); }

int send_messages(const std::string& path) {
  UnixDatagram receiver = UnixDatagram::connect(path, soon()).or_throw();  // waits until it is there
  for (const std::string& message : messages) {
    receiver.send(bytes_of(message), soon()).or_throw();
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  // A fixed name under /tmp could be taken by anybody; this one is new each time, unless the caller names one.
  const std::string path = argc > 1 ? argv[1] : "/tmp/datagrams-" + std::to_string(::getpid());
  UnixDatagram receiver = UnixDatagram::create(path).or_throw();
  const UnlinkOnExit name(UnixDatagram::unlink, path);
  Child child = spawn([&] { return send_messages(path); }).or_throw();

  // There is no end that could be read to: a receiver has to know what to expect, or to give up after a time.
  std::vector<std::string> received;
  std::array<std::byte, 100> into;
  while (received.size() < messages.size()) {
    const std::size_t size = receiver.receive(into, soon()).or_throw();
    received.emplace_back(text_of(Bytes(into).first(size)));
  }
  if (received == messages) {
    std::printf("boundaries kept\n");
  }

  return child.wait(never).or_throw().success() && received == messages ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
