#include <tenon/messaging/queue/queue_polls.hpp>

#include <tenon/os/shared_socket.hpp>

#include <unistd.h>

namespace tenon {

namespace {

constexpr std::uint32_t bit_of(QueueNews news) noexcept { return 1U << static_cast<unsigned>(news); }

}  // namespace

std::string QueuePolls::name(QueueNews news, std::uint32_t place, Token member) const {
  return "wake." + Token::from(memory_.header().id).hex() + "." + member.hex() + "." + std::to_string(place) +
         (news == QueueNews::message ? "r" : "s");
}

Result<FdView> QueuePolls::fd(QueueNews news, std::uint16_t place, Token self) {
  const std::lock_guard only(changing_);
  auto& socket = sockets_[static_cast<std::size_t>(news)];
  if (!socket) {
    auto made =
        WakeSocket::create([&](FdView bound) { return bind_in(domain_->directory(), name(news, place, self), bound); });
    if (!made) {
      return fail(std::move(made.error()));
    }
    memory_.member(place).owner = ::geteuid();
    socket = std::move(*made);
  }
  return socket->fd();
}

bool QueuePolls::arm(QueueNews news, std::uint16_t place) noexcept {
  const std::lock_guard only(changing_);
  auto& socket = sockets_[static_cast<std::size_t>(news)];
  if (!socket) {
    return false;
  }
  socket->silence();
  memory_.member(place).polls.fetch_or(bit_of(news), std::memory_order_seq_cst);  // P1
  flag(news).store(1, std::memory_order_seq_cst);                                 // P1
  return true;
}

void QueuePolls::ring_those(QueueNews news) noexcept {
  const std::lock_guard only(changing_);
  flag(news).exchange(0, std::memory_order_seq_cst);  // P1
  const auto members = memory_.members();
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    const std::uint32_t armed = members[i].polls.fetch_and(~bit_of(news), std::memory_order_seq_cst);  // P1
    if ((armed & bit_of(news)) != 0) {
      // relaxed: a name; whoever is not there is not rung
      const Token member = Token::from(members[i].token.load(std::memory_order_relaxed));
      rope_.ring(address_in(domain_->directory(), name(news, i, member)), members[i].owner);
    }
  }
}

void QueuePolls::remove_sockets(std::uint32_t place, Token member) const noexcept {
  for (const QueueNews news : {QueueNews::message, QueueNews::room}) {
    ::unlinkat(domain_->directory().raw(), name(news, place, member).c_str(), 0);
  }
}

}  // namespace tenon
