/// Answers one client after another over a Unix socket, one of them unless told otherwise. Its partner is uds-client;
/// either may be started first.
#include "text.hpp"

#include <tenon/ipc/unix_stream/unix_listener.hpp>
#include <tenon/os/unlink_on_exit.hpp>

using namespace tenon;

namespace {

// What the client says ends where it finishes writing.
std::string read_to_end(UnixStream& client) {
  std::string text;
  std::array<std::byte, 1024> part;
  while (const std::size_t got = client.read(part, seeds::soon()).or_throw()) {
    text += text_of(Bytes(part).first(got));
  }
  return text;
}

void serve(UnixStream client) {
  const std::string text = read_to_end(client);
  if (text.empty()) {
    throw Failure(Error(Errc::closed, "recv").because("the client left without a word"));
  }
  seeds::say("Received: " + text);
  client.write(bytes_of("Hello from server!"), seeds::soon()).or_throw();
}

}  // namespace

int main(int argc, char** argv) {
  const int clients = argc == 3 ? std::atoi(argv[2]) : 1;
  const std::string path = seeds::path_from(argc == 3 ? 2 : argc, argv);
  return seeds::run([&] {
    UnixListener listener = UnixListener::create(path).or_throw();
    const UnlinkOnExit name(UnixListener::unlink, path);
    seeds::say("Server listening...");
    for (int served = 0; served < clients; ++served) {
      serve(listener.accept(seeds::soon()).or_throw());
    }
    return 0;
  });
}
