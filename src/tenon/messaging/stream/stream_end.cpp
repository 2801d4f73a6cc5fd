#include <tenon/messaging/stream/stream_end.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/membarrier.hpp>
#include <tenon/os/shared_socket.hpp>

#include <chrono>
#include <new>

namespace tenon {

namespace {

constexpr std::int64_t between_looks_at_lives = std::chrono::nanoseconds(recheck_interval).count();

}  // namespace

StreamEnd::StreamEnd(const Holder& holder, std::string_view stream, StreamMeeting::Pair pair, Waiting waiting)
    : own_(std::move(pair.own)),
      other_(std::move(pair.other)),
      holder_(holder),
      deaths_(holder),
      stream_(stream),
      wish_(own_.state().wish, own_.state().wished, other_.state().bell),
      ringer_(own_.state().bell, other_.state().wish, other_.state().wished),
      must_fence_(own_.header().fences != 0 || other_.header().barred != 0),
      waiting_(waiting),
      fork_(ForkCount::begin()) {}

StreamEnd::~StreamEnd() { [[maybe_unused]] const auto dropped = close(); }

Result<void> StreamEnd::close() {
  if (closed_ || !is_of_this_process()) {
    return closed_ ? Result<void>() : fail(Error(Errc::in_child).on(stream_));
  }
  closed_ = true;
  wish_.say_closed();
  wake_other();
  own_.remove_name(holder_.domain().directory());
  if (other_is_gone(true) == Gone::died) {
    // The last to leave; what it cannot take away the next who comes does.
    [[maybe_unused]] const auto dropped = other_.remove_name(holder_.domain().directory());
  }
  return {};
}

Result<void> StreamEnd::check_usable() const {
  expects(!closed_, "an end of a stream that was closed is used no more");
  return is_of_this_process() ? Result<void>() : fail(Error(Errc::in_child).on(stream_));
}

Result<void> StreamEnd::confirm() const {
  if (auto usable = check_usable(); !usable) {
    return usable;
  }
  return own_.has_name() ? Result<void>() : fail(Error(Errc::not_found, "Stream::confirm").on(stream_));
}

Error StreamEnd::lie() const {
  return Error(Errc::corrupt).on(stream_).because("the other end says that it is where it cannot be");
}

Error StreamEnd::end_of(Gone gone, const char* call) {
  return Error(gone == Gone::died ? Errc::peer_died : Errc::closed, call);
}

StreamEnd::Gone StreamEnd::other_is_gone(bool now) {
  if (gone_ != Gone::no) {
    return gone_;
  }
  if (ringer_.has_closed()) {
    return gone_ = Gone::closed;
  }
  if (const std::int64_t time = monotonic_now(); now || time - asked_at_ >= between_looks_at_lives) {
    asked_at_ = time;
    // Who cannot be asked lives.
    if (deaths_.took(Token::from(other_.header().life)).value_or(false)) {
      gone_ = ringer_.has_closed() ? Gone::closed : Gone::died;  // asked again: it may have closed and then left
    }
  }
  return gone_;
}

void StreamEnd::answer(std::uint64_t index) {
  if (ringer_.is_due(index)) {
    wake_other();
  }
}

void StreamEnd::wake_other() {
  ringer_.ring();
  futex_wake_all(own_.state().bell);
  // relaxed: it was said before the wish, which was loaded with acquire
  if (other_.state().polls.load(std::memory_order_relaxed) == 0) {
    return;
  }
  const FdView directory = holder_.domain().directory();
  try {
    bell_rope_.ring(stream_wake_address(directory, Token::from(other_.header().token)), other_.header().uid);
  } catch (const std::bad_alloc&) {
    // What was to be told is stored; the other hears its own clock.
  }
}

Result<void> StreamEnd::time_is_over(Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "Stream::wait");
  }
  return fail(deadline.is_immediate() || deadline.passed() ? Errc::timed_out : Errc::would_block, "Stream::wait");
}

std::uint32_t StreamEnd::announce(std::uint64_t wished) noexcept {
  const std::uint32_t told = wish_.wish_for(wished);
  barrier_for_all();
  return told;
}

Result<void> StreamEnd::sleep(std::uint32_t told, Deadline deadline) {
  StreamState& state = own_.state();
  state.waits_since.store(monotonic_now(), std::memory_order_relaxed);  // for people
  state.waits.store(state.waits.load(std::memory_order_relaxed) + 1,
                    std::memory_order_relaxed);  // own count, for people
  auto slept = futex_wait(other_.state().bell, told, deadline);
  state.waits_since.store(0, std::memory_order_relaxed);  // for people
  return slept;
}

Result<void> StreamEnd::bind_wake(FdView socket) const {
  return bind_in(holder_.domain().directory(), stream_wake_name(Token::from(own_.header().token)), socket);
}

Result<FdView> StreamEnd::fd() {
  if (auto usable = check_usable(); !usable) {
    return fail(std::move(usable.error()));
  }
  if (wake_) {
    return wake_->fd();
  }
  auto made = WakeSocket::create([this](FdView socket) { return bind_wake(socket); });
  if (!made) {
    return fail(std::move(made.error()).on(stream_));
  }
  own_.state().polls.store(1, std::memory_order_relaxed);  // B3, by the wish that follows
  wake_ = std::move(*made);
  return wake_->fd();
}

}  // namespace tenon
