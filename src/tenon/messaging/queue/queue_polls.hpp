#pragma once
/// What poll(2) hears of a queue: a socket of one's own for each direction, rung by whoever sends, or makes room.
///
/// Who polls looks, finds nothing, says so (arm), and looks once more. Whoever has news then rings each of those, once;
/// who is rung and finds nothing says so again. A clock rings too, once in each recheck_interval, since whoever is to
/// ring may die before.
///
/// Edges: P1  a member's bit, then the queue's flag, then its look for news (arm) ↔ news, then flag, then bits (ring):
/// sequentially consistent, as the news is (queue_bell.hpp, B1), so that of both at least one sees the other.
///
/// Threads: all calls from several at once. The sockets are files of the domain, `wake.ID.TOKEN.PLACE`, with an r or an
/// s for who waits to receive or to send.
#include <tenon/messaging/queue/queue_memory.hpp>
#include <tenon/messaging/topic/wake_socket.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/token.hpp>

#include <array>
#include <mutex>
#include <optional>
#include <string>

namespace tenon {

enum class QueueNews : std::uint8_t { message = 0, room = 1 };

class QueuePolls {
 public:
  /// The domain outlives it.
  QueuePolls(const Domain& domain, const QueueMemory& memory) noexcept : domain_(&domain), memory_(memory) {}

  /// That of the member at this place. Failures: limit_reached (descriptors), no_space, permission_denied.
  Result<FdView> fd(QueueNews news, std::uint16_t place, Token self);
  /// Whether there is one, which is to be rung from now on; another look follows.
  bool arm(QueueNews news, std::uint16_t place) noexcept;
  /// After the news.
  void ring(QueueNews news) noexcept {
    if (flag(news).load(std::memory_order_seq_cst) != 0) [[unlikely]] {  // P1
      ring_those(news);
    }
  }
  /// Of a member that is gone, or of this one.
  void remove_sockets(std::uint32_t place, Token member) const noexcept;

 private:
  std::atomic<std::uint32_t>& flag(QueueNews news) const noexcept {
    return news == QueueNews::message ? memory_.state().polls_arrivals : memory_.state().polls_room;
  }
  std::string name(QueueNews news, std::uint32_t place, Token member) const;
  void ring_those(QueueNews news) noexcept;

  const Domain* domain_;
  QueueMemory memory_;
  std::mutex changing_;
  std::array<std::optional<WakeSocket>, 2> sockets_ = {};
  WakeRinger rope_ = {};
};

}  // namespace tenon
