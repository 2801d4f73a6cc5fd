#include <tenon/messaging/dispatcher/dispatch_queue.hpp>

#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/system_call.hpp>

#include <array>
#include <cerrno>
#include <sys/epoll.h>

namespace tenon {

Watch::~Watch() {
  if (const auto queue = queue_.lock()) {
    queue->forget(number_);
  }
}

Result<std::shared_ptr<DispatchQueue>> DispatchQueue::create() {
  return fd_from(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1").transform([](Fd events) {
    return std::shared_ptr<DispatchQueue>(new DispatchQueue(std::move(events)));
  });
}

// By edges: what cannot be had now stays readable, and would else be served without end.
Result<Watch> DispatchQueue::watch(FdView fd, Function function) {
  if (!is_of_this_process()) {
    return fail(Errc::in_child, "watch");
  }
  const std::uint64_t number = ++last_number_;
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = number}};
  if (::epoll_ctl(events_.raw(), EPOLL_CTL_ADD, fd.raw(), &event) == -1) {
    return fail(os_failure("epoll_ctl", errno));
  }
  watched_.emplace(number, std::make_shared<Watched>(Watched{.fd = fd.raw(), .function = std::move(function)}));
  make_due(number);
  return Watch(weak_from_this(), number);
}

void DispatchQueue::forget(std::uint64_t number) noexcept {
  const auto found = watched_.find(number);
  if (found != watched_.end()) {
    if (is_of_this_process()) {
      ::epoll_ctl(events_.raw(), EPOLL_CTL_DEL, found->second->fd, nullptr);
    }
    watched_.erase(found);
  }
}

void DispatchQueue::make_due(std::uint64_t number) {
  const auto found = watched_.find(number);
  if (found != watched_.end() && !std::exchange(found->second->is_due, true)) {
    due_.push_back(number);
  }
}

Result<void> DispatchQueue::collect() {
  std::array<epoll_event, 64> events{};
  const int count =
      uninterrupted([&] { return ::epoll_wait(events_.raw(), events.data(), static_cast<int>(events.size()), 0); });
  if (count == -1) {
    return fail(os_failure("epoll_wait", errno));
  }
  for (int i = 0; i < count; ++i) {
    make_due(events[static_cast<std::size_t>(i)].data.u64);
  }
  return {};
}

// Those that are due now, once: who becomes so meanwhile waits for the next time.
void DispatchQueue::serve() {
  for (std::size_t left = due_.size(); left != 0 && !is_finished_; --left) {
    const std::uint64_t number = due_.front();
    due_.pop_front();
    if (const auto found = watched_.find(number); found != watched_.end()) {
      serve(std::shared_ptr<Watched>(found->second), number);
    }
  }
}

// The function may take away its own watch, and others': what is called here stays until it returns.
void DispatchQueue::serve(const std::shared_ptr<Watched>& watched, std::uint64_t number) {
  watched->is_due = false;
  Turn turn = Turn::more;
  try {
    for (int i = 0; i < most_in_a_turn && turn == Turn::more && !is_finished_; ++i) {
      turn = watched->function();
      if (!watched_.contains(number)) {
        return;
      }
    }
  } catch (...) {
    make_due(number);  // its descriptor has said already that there is something
    throw;
  }
  if (turn == Turn::more) {
    make_due(number);
  } else if (turn == Turn::failed) {
    retry_ = failed_.empty() ? after(recheck_interval) : retry_;
    failed_.push_back(number);
  }
}

// Those who failed are asked again after a while: nothing rings when what they lacked is there.
Result<void> DispatchQueue::await(Deadline deadline) {
  if (due_.empty()) {
    const auto ready =
        wait_ready(events_.view(), Ready::reading, failed_.empty() ? deadline : deadline.or_sooner(retry_));
    if (!ready && (!ready.failed_with(Errc::timed_out) || deadline.passed())) {
      return fail(Error(ready.error()));
    }
  }
  if (!failed_.empty() && retry_.passed()) {
    for (const std::uint64_t number : std::exchange(failed_, {})) {
      make_due(number);
    }
  }
  return {};
}

Result<void> DispatchQueue::take_turns(Deadline deadline) {
  if (!is_of_this_process()) {
    return fail(Errc::in_child, "run");
  }
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "run");
  }
  if (auto waited = await(deadline); !waited) {
    return waited;
  }
  if (auto collected = collect(); !collected) {
    return collected;
  }
  served_at_once_ = 0;
  serve();
  return {};
}

Result<void> DispatchQueue::run_once(Deadline deadline) {
  auto taken = take_turns(deadline);
  is_finished_ = false;
  return taken;
}

Result<void> DispatchQueue::run(Deadline deadline) {
  while (!std::exchange(is_finished_, false)) {
    if (auto taken = take_turns(deadline); !taken) {
      return taken;
    }
    if (!is_finished_ && deadline.passed()) {  // ports that always have more would keep it from being asked
      return fail(Errc::timed_out, "run");
    }
  }
  return {};
}

}  // namespace tenon
