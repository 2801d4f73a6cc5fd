/// A server and its client over a Unix socket: they greet each other over one connection, both ways.
#include <tenon/ipc/unix_stream/unix_listener.hpp>
#include <tenon/ipc/unix_stream/unix_stream.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <unistd.h>

using namespace tenon;

namespace {

// For a partner that may never come.
Deadline soon() { return after(std::chrono::seconds(10)); }

// A stream has no messages: this one ends where the other side has finished writing.
std::string read_to_end(UnixStream& stream) {
  std::string text;
  std::array<std::byte, 100> part;
  while (const std::size_t got = stream.read(part, soon()).or_throw()) {
    text += text_of(Bytes(part).first(got));
  }
  return text;
}

void say(const char* who, const std::string& greeting) {
  if (!greeting.empty()) {
    std::printf("%s received: %s\n", who, greeting.c_str());
    std::fflush(stdout);
  }
}

int greet_server(const std::string& path) {
  UnixStream server = UnixStream::connect(path, soon()).or_throw();  // waits until it listens
  server.write(bytes_of("Hello from client!"), soon()).or_throw();
  server.finish_writing().or_throw();
  const std::string reply = read_to_end(server);
  say("Client", reply);
  return reply.empty() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) try {
  // A fixed name under /tmp could be taken by anybody; this one is new each time, unless the caller names one.
  const std::string path = argc > 1 ? argv[1] : "/tmp/socket-" + std::to_string(::getpid());
  Child child = spawn([&] { return greet_server(path); }).or_throw();

  UnixListener listener = UnixListener::create(path).or_throw();
  const UnlinkOnExit name(UnixListener::unlink, path);
  UnixStream client = listener.accept(soon()).or_throw();
  const std::string greeting = read_to_end(client);
  say("Server", greeting);
  if (!greeting.empty()) {
    client.write(bytes_of("Hello from server!"), soon()).or_throw();
  }
  std::move(client).close().or_throw();

  return child.wait(never).or_throw().success() && !greeting.empty() ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
