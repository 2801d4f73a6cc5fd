// A subscriber of a soak: it receives as fast as it can and holds what it hears against the ledger.
#include "account.hpp"
#include "membership.hpp"
#include "message.hpp"
#include "random.hpp"

#include <tenon/messaging/topic/topic.hpp>

#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

namespace soak {

namespace {

using tenon::Errc;
using tenon::Sample;
using tenon::Slice;
using tenon::Subscriber;
using Words = Slice<std::uint64_t>;

std::span<const std::uint64_t> words_of(const Sample<Short>& sample) { return sample->words; }
std::span<const std::uint64_t> words_of(const Sample<Frame>& sample) { return sample->words; }
std::span<const std::uint64_t> words_of(const Sample<Words>& sample) { return *sample; }

template <class T>
class Subscription {
 public:
  Subscription(const Task& task, const tenon::Holder& holder)
      : task_(task), random_(task.seed), account_(task), subscriber_(create(task, holder, random_)) {
    account_.joined();
  }

  /// Until all publishers have ended and all was received.
  void run() {
    while (!is_over_) {
      account_.count();
      const bool is_draining = task_.ledger.phase() == Phase::drain;
      const tenon::Deadline until = tenon::after(std::chrono::milliseconds(is_draining ? 20 : 50));
      bool goes_on = true;
      for (int i = 0; i < 512 && goes_on; ++i) {
        goes_on = receive(until, is_draining);
      }
      dawdle();
    }
    release_all();
    account_.settle(subscriber_.lost());
    account_.count();
    std::move(subscriber_).close().or_throw();
  }

 private:
  static constexpr std::size_t most_held = 3;

  static Subscriber<T> create(const Task& task, const tenon::Holder& holder, Random& random) {
    return Subscriber<T>::create(holder, task.topic_name(),
                                 {.reliable = task.role.work == Work::receive_all,
                                  .max_held = most_held + 1,
                                  .newest_only = task.role.work == Work::receive_newest,
                                  .waiting = random.rarely(1) ? tenon::Waiting::sleep : tenon::Waiting::adaptive})
        .or_throw();
  }

  // Whether there may be more at once.
  bool receive(tenon::Deadline until, bool is_draining) {
    if constexpr (std::is_same_v<T, Short>) {
      const bool is_told = account_.knows_all_from_before() || task_.role.work != Work::receive_lossy;
      if (task_.role.kind == Kind::batches && task_.role.work != Work::receive_newest && is_told) {
        return receive_batch(until, is_draining);
      }
    }
    auto sample = subscriber_.receive(until);
    if (!sample) {
      return end_or_nothing(sample.error(), is_draining);
    }
    if (swallows()) [[unlikely]] {
      return true;
    }
    account_.hear(words_of(*sample), sample->lost_before());
    // Once: after a number that is left out all others differ too.
    if (words_of(*sample)[1] != sample->number() && std::exchange(numbers_agree_, false)) {
      task_.complain("a message's number is not the one that the topic tells");
    }
    if (task_.role.kind >= Kind::chunks) {
      hold_now_and_then(std::move(*sample));
    }
    return true;
  }
  bool receive_batch(tenon::Deadline until, bool is_draining)
    requires std::is_same_v<T, Short>
  {
    std::array<Short, 128> room;
    const auto came = subscriber_.receive_batch(room, until);
    if (!came) {
      return end_or_nothing(came.error(), is_draining);
    }
    for (std::size_t i = 0; i < *came; ++i) {
      account_.hear(room[i].words, std::nullopt);
    }
    return true;
  }
  bool end_or_nothing(const tenon::Error& error, bool is_draining) {
    if (error == Errc::closed || error == Errc::peer_died) {
      account_.end_told();
      return true;
    }
    if (!(error == Errc::timed_out)) {
      task_.complain(error.message());
      is_over_ = true;
    }
    // It has looked who is there after the last publisher ended, and nobody is.
    is_over_ = is_over_ || (is_draining && subscriber_.publishers() == 0);
    return false;
  }

  void hold_now_and_then(Sample<T> sample) {
    if (!random_.rarely(5)) {
      return;
    }
    if (held_.size() == most_held) {
      release_all();
    }
    held_.push_back(std::move(sample));
  }
  void release_all() {
    for (Sample<T>& sample : held_) {
      if (!is_whole(words_of(sample))) {
        task_.complain("a message has changed while it was held");
      }
      task_.ledger.tally().held.fetch_add(1, std::memory_order_relaxed);
    }
    held_.clear();
  }
  // A lossy subscriber is late now and then, so that it is overtaken.
  void dawdle() {
    if (task_.role.work == Work::receive_lossy && random_.rarely(4) && task_.ledger.phase() == Phase::work) {
      ::usleep(static_cast<useconds_t>(random_.below(2000)));
    }
  }
  bool swallows() {
    const bool is_mine = (task_.fault == Fault::swallowed && task_.role.work == Work::receive_all) ||
                         (task_.fault == Fault::uncounted && task_.role.work == Work::receive_lossy);
    return is_mine && random_.rarely(12);
  }

  const Task& task_;
  Random random_;
  Account account_;
  Subscriber<T> subscriber_;
  std::vector<Sample<T>> held_;
  bool is_over_ = false;
  bool numbers_agree_ = true;
};

void subscribe_as(const Task& task, const tenon::Holder& holder) {
  switch (task.role.kind) {
    case Kind::entries:
    case Kind::batches:
      return Subscription<Short>(task, holder).run();
    case Kind::chunks:
      return Subscription<Frame>(task, holder).run();
    case Kind::slices:
      return Subscription<Words>(task, holder).run();
  }
}

}  // namespace

int subscribe(const Task& task) {
  const std::size_t descriptors = open_descriptors();
  {
    const Membership self(task.domain);
    subscribe_as(task, self.holder);
  }
  if (task.fault == Fault::descriptor) {
    [[maybe_unused]] const int kept = ::dup(0);
  }
  if (open_descriptors() != descriptors) {
    task.complain("it has left descriptors open");
  }
  return 0;
}

}  // namespace soak
