// Loopback TCP: needs no package, and is always there. As `tenon bench` has it (cells/lines/tcp.cpp): one connection
// for each direction over 127.0.0.1, TCP_NODELAY.
#include <cells/line.hpp>
#include <peers/peer.hpp>

namespace peers {

Peer tcp() {
  return {.name = "TCP", .subject = [](const Cell& cell) {
            const cells::Cell same{
                .pattern = cell.kind == limits::Kind::one_way ? cells::Pattern::one_way : cells::Pattern::round_trip,
                .bytes = cell.bytes,
                .wait = cell.wait == Wait::polling ? cells::Wait::spin : cells::Wait::sleep};
            return cells::mechanism_of(cells::tcp_line()).subject(same).or_throw();
          }};
}

}  // namespace peers
