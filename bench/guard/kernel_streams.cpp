// Pipes and Unix sockets, of which the wrapper is counted alone: the kernel's instructions are not.
#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/ipc/unix_datagram/unix_datagram.hpp>
#include <tenon/ipc/unix_seqpacket/unix_seqpacket.hpp>
#include <tenon/ipc/unix_stream/unix_stream.hpp>
#include <tenon/os/sigpipe.hpp>
#include <guard/rooms.hpp>

#include <array>

namespace guard {

using tenon::never;

namespace {

// Known once something has been written.
std::string way_of_pipes() {
  return tenon::kernel_writes_quietly.load() ? "RWF_NOSIGNAL" : "SIGPIPE held";  // default order: nobody else is here
}

}  // namespace

void count_kernel_streams(Paths& paths) {
  std::array<std::byte, 64> bytes{};
  {
    auto pipe = tenon::Pipe::pair().or_throw();
    must(pipe.writer.write(bytes, never).has_value() && pipe.reader.read(bytes, never).has_value());
    paths.count(
        "pipe: 64 B, write and read",
        [&] { must(pipe.writer.write(bytes, never).has_value() && pipe.reader.read(bytes, never).has_value()); },
        way_of_pipes());
  }
  {
    auto [here, there] = tenon::UnixStream::pair().or_throw();
    paths.count("unix stream: 64 B, write and read",
                [&] { must(here.write(bytes, never).has_value() && there.read(bytes, never).has_value()); });
  }
  {
    auto [here, there] = tenon::UnixDatagram::pair().or_throw();
    paths.count("unix datagram: 64 B, send and receive",
                [&] { must(here.send(bytes, never).has_value() && there.receive(bytes, never).has_value()); });
  }
  {
    auto [here, there] = tenon::UnixSeqpacket::pair().or_throw();
    paths.count("unix seqpacket: 64 B, send and receive",
                [&] { must(here.send(bytes, never).has_value() && there.receive(bytes, never).has_value()); });
  }
}

}  // namespace guard
