#include <topic/creation.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/system_call.hpp>
#include <limits/stepping_side.hpp>
#include <topic/ends.hpp>

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>

namespace topics {

using harness::Subject;
using tenon::MutableBytes;

namespace {

constexpr tenon::PublisherOptions options_of(std::uint32_t depth) {
  return {.depth = depth, .max_loans = 1, .held = 1, .timestamps = tenon::Timestamps::none};
}

// A word behind the number of the start, which each of the two moves on when it has done its part.
//   S1  store-release → load-acquire: what was done before is there.
class Turn {
 public:
  explicit Turn(MutableBytes shared) : word_(reinterpret_cast<std::uint64_t*>(shared.data() + start_bytes)) {}
  void pass() {
    std::atomic_ref(*word_).store(++at_, std::memory_order_release);  // S1
  }
  void await() {
    ++at_;
    harness::spin_until([&] { return std::atomic_ref(*word_).load(std::memory_order_acquire) >= at_; });  // S1
  }

 private:
  std::uint64_t* word_;
  std::uint64_t at_ = 0;
};

template <class T>
void send(tenon::Publisher<T>& publisher, std::uint64_t k) {
  auto loan = publisher.loan().or_throw();
  loan->words[0] = k;
  publisher.publish(std::move(loan), tenon::never).or_throw();
}

template <class T>
struct Creator {
  std::shared_ptr<Member> self;
  std::uint32_t depth;
  Turn turn;
  std::uint64_t at = 0;

  void step(harness::Round& round) {
    auto publisher = tenon::Publisher<T>::create(self->holder(), topic_name, options_of(depth)).or_throw();
    turn.pass();   // it is there
    turn.await();  // and so is a subscriber
    send(publisher, at++);
    turn.await();  // who has received
    const std::int64_t closes_from = tenon::monotonic_now();
    std::move(publisher).close().or_throw();
    turn.await();  // and left
    round.leave_out(static_cast<double>(tenon::monotonic_now() - closes_from));
  }
};

template <class T>
struct Newcomer {
  std::shared_ptr<Member> self;
  Turn turn;
  std::uint64_t at = 0;

  void step() {
    turn.await();
    {
      auto subscriber =
          tenon::Subscriber<T>::create(self->holder(), topic_name, {.waiting = tenon::Waiting::spin}).or_throw();
      turn.pass();
      const auto sample = subscriber.receive(tenon::never).or_throw();
      if (sample->words[0] != at++) {
        harness::payload_differs(at - 1);
      }
      turn.pass();
    }
    turn.pass();
  }
};

template <class T>
Subject creation_of(std::uint32_t depth) {
  return {.name = "topic",
          .shared_bytes = start_bytes + tenon::cache_line,
          .sides = {limits::stepping_side("creator",
                                          [=](MutableBytes shared) {
                                            return Creator<T>{std::make_shared<Member>(shared), depth, Turn(shared)};
                                          }),
                    limits::stepping_side("newcomer",
                                          [](MutableBytes shared) {
                                            return Newcomer<T>{std::make_shared<Member>(shared), Turn(shared)};
                                          })},
          .prepare = new_domain};
}

void check(bool done, const char* call) {
  if (!done) {
    tenon::Result<void>(tenon::fail(tenon::os_failure(call, errno))).or_throw();
  }
}

struct Reserver {
  std::shared_ptr<Member> self;
  std::uint64_t bytes;
  void step(harness::Round& round) const {
    tenon::Fd file =
        tenon::fd_from(::openat(self->holder().domain().directory().raw(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600),
                       "openat")
            .or_throw();
    check(::fallocate(file.raw(), 0, 0, static_cast<off_t>(bytes)) == 0, "fallocate");
    void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.raw(), 0);
    check(memory != MAP_FAILED, "mmap");
    const std::int64_t unmaps_from = tenon::monotonic_now();
    ::munmap(memory, bytes);
    std::move(file).close().or_throw();
    round.leave_out(static_cast<double>(tenon::monotonic_now() - unmaps_from));
  }
};

}  // namespace

Subject create_and_send(std::size_t bytes, std::uint32_t depth) {
  tenon::expects(bytes == sizeof(Bytes40) || bytes == sizeof(Bytes1M), "messages of 40 bytes or 1 MiB");
  return bytes == sizeof(Bytes40) ? creation_of<Bytes40>(depth) : creation_of<Bytes1M>(depth);
}

std::uint64_t memory_of(std::size_t bytes, std::uint32_t depth) {
  return (bytes == sizeof(Bytes40) ? tenon::Publisher<Bytes40>::memory_needed(options_of(depth))
                                   : tenon::Publisher<Bytes1M>::memory_needed(options_of(depth)))
      .or_throw();
}

Subject bare_memory(std::uint64_t bytes) {
  return {
      .name = "bare memory",
      .shared_bytes = start_bytes,
      .sides = {limits::stepping_side(
                    "reserver", [=](MutableBytes shared) { return Reserver{std::make_shared<Member>(shared), bytes}; }),
                {.name = "idle", .start = [](MutableBytes) { return [](harness::Round&) {}; }}},
      .prepare = new_domain};
}

}  // namespace topics
