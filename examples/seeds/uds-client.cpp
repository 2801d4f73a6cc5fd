/// Greets uds-server over a Unix socket and prints its answer. Either may be started first.
#include "text.hpp"

#include <tenon/ipc/unix_stream/unix_stream.hpp>

using namespace tenon;

int main(int argc, char** argv) {
  const std::string path = seeds::path_from(argc, argv);
  return seeds::run([&] {
    UnixStream server = UnixStream::connect(path, seeds::soon()).or_throw();  // waits until it listens
    const std::string message = "Hello from client!";
    server.write(bytes_of(message), seeds::soon()).or_throw();
    server.finish_writing().or_throw();
    seeds::say("Sent: " + message);

    std::string answer;
    std::array<std::byte, 1024> part;
    while (const std::size_t got = server.read(part, seeds::soon()).or_throw()) {
      answer += text_of(Bytes(part).first(got));
    }
    if (answer.empty()) {
      throw Failure(Error(Errc::closed, "recv").because("the server left without a word"));
    }
    seeds::say("Received: " + answer);
    return 0;
  });
}
