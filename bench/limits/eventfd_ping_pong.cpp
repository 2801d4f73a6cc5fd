// Two processes that wake each other by a descriptor that counts. eventfd(2)
//
// Layout: how long the answerer waited before it answered.
#include <tenon/base/cache_line.hpp>
#include <tenon/os/fd.hpp>
#include <limits/limit.hpp>
#include <limits/sleepy_end.hpp>
#include <limits/stepping_side.hpp>

#include <memory>
#include <stdexcept>
#include <sys/eventfd.h>
#include <unistd.h>
#include <vector>

namespace limits {

namespace {

struct EventFdSignal {
  int own;
  int others;

  void tell() const {
    const std::uint64_t one = 1;
    if (::write(own, &one, sizeof one) != static_cast<ssize_t>(sizeof one)) {
      throw std::runtime_error("an eventfd could not be written");
    }
  }
  void await() const {
    std::uint64_t count = 0;
    if (::read(others, &count, sizeof count) != static_cast<ssize_t>(sizeof count) || count != 1) {
      throw std::runtime_error("an eventfd was not read as it was written");
    }
  }
};

Limit ping_pong(Where where) {
  // Made anew at each start, inherited by the sides.
  auto pair = std::make_shared<std::vector<tenon::Fd>>();
  const auto end = [=](bool begins) {
    return [=](tenon::MutableBytes shared) {
      const int first = (*pair)[0].raw();
      const int second = (*pair)[1].raw();
      return SleepyEnd<EventFdSignal>{.signal = {.own = begins ? first : second, .others = begins ? second : first},
                                      .answerers_wait = reinterpret_cast<std::int64_t*>(shared.data()),
                                      .begins = begins,
                                      .lets_sleep = where == Where::across_cores};
    };
  };
  auto open_both = [pair](tenon::MutableBytes) {
    pair->clear();
    for (int i = 0; i < 2; ++i) {
      pair->push_back(tenon::fd_from(::eventfd(0, EFD_CLOEXEC), "eventfd").or_throw());
    }
  };
  return {.family = "eventfd",
          .subject = {.name = "eventfd, there and back asleep, " + std::string(name_of(where)),
                      .shared_bytes = tenon::cache_line,
                      .sides = {stepping_side("asker", end(true)), stepping_side("answerer", end(false))},
                      .prepare = open_both},
          .where = where,
          .kind = Kind::round_trip};
}

}  // namespace

std::vector<Limit> eventfds(Extent /*the same in both*/) {
  return {ping_pong(Where::across_cores), ping_pong(Where::one_core)};
}

}  // namespace limits
