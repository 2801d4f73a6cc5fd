#include <kit/two_processes.hpp>

#include <kit/watchdog.hpp>
#include <tenon/base/contract.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <new>
#include <stdexcept>

namespace kit {

namespace {

constexpr std::size_t most_sides = 15;

struct Event {
  std::atomic<std::uint64_t> key;  // hash of the name, 0: free
  std::atomic<std::uint32_t> times;
};

// FNV-1a; never 0.
std::uint64_t key_of(std::string_view name) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  return hash | 1;
}

}  // namespace

// Everything here is sequentially consistent: it is a test's scaffold, and nobody should have to argue about it.
struct Stage::Board {
  std::atomic<std::uint32_t> changes;  // what everybody sleeps on
  std::atomic<std::uint32_t> failed;   // a side has: waiting further has no sense
  std::atomic<std::uint32_t> sides;
  std::atomic<std::uint32_t> arrived;
  std::array<Event, 64> events;
  std::array<std::array<char, 64>, most_sides + 1> steps;  // where each side waits

  Event& event(std::string_view name) {
    const std::uint64_t key = key_of(name);
    for (Event& event : events) {
      std::uint64_t held = 0;
      if (event.key.compare_exchange_strong(held, key) || held == key) {
        return event;
      }
    }
    tenon::broken_contract("a test has at most 64 events");
  }
};

Stage::Stage(std::size_t sides)
    : memory_(tenon::Mapping::shared_with_children(sizeof(Board)).or_throw()), side_(sides) {
  tenon::expects(sides <= most_sides, "a test has at most 15 sides");
  new (memory_.data()) Board();
  board().sides = static_cast<std::uint32_t>(sides);
}

Stage::Board& Stage::board() const noexcept { return *std::launder(reinterpret_cast<Board*>(memory_.data())); }

void Stage::change() noexcept {
  ++board().changes;
  tenon::futex_wake_all(board().changes);
}

void Stage::signal(std::string_view event) {
  ++board().event(event).times;
  change();
}

template <class Condition>
void Stage::wait_until(const std::string& step, Condition condition) {
  auto& place = board().steps[side_];
  place[step.copy(place.data(), place.size() - 1)] = '\0';
  auto over = [&] { return condition() || board().failed != 0; };
  tenon::futex_wait_until(board().changes, over, tenon::never).or_throw();
  if (!condition()) {
    throw std::runtime_error("gave up at " + step + ": another side has failed");
  }
  place[0] = '\0';
}

void Stage::await(std::string_view event, std::uint32_t times) {
  const Event& awaited = board().event(event);
  wait_until("await(\"" + std::string(event) + "\")", [&] { return awaited.times >= times; });
}

void Stage::barrier() {
  const std::uint32_t sides = board().sides;
  const std::uint32_t round = board().arrived.fetch_add(1) / sides;
  change();
  wait_until("barrier()", [&] { return board().arrived / sides > round; });
}

Sides::Sides(std::vector<Side> sides, Duration limit)
    : limit_(limit), deadline_(tenon::after(patient(limit) * 2)), stage_(sides.size()) {
  children_.reserve(sides.size());
  for (std::size_t i = 0; i < sides.size(); ++i) {
    children_.emplace_back(sides[i].name, [&, i] { run_side(sides[i], i); });
  }
}

void Sides::run_side(const Side& side, std::size_t index) {
  const Watchdog watchdog(side.name.c_str(), limit_);
  stage_.side_ = index;
  struct AtEnd {
    Stage& stage;
    bool reached = false;
    ~AtEnd() {
      if (!reached || child_failed()) {
        stage.board().failed = 1;
        stage.change();
      }
    }
  } end{stage_};
  side.body(stage_);
  end.reached = true;
}

ReportedChild& Sides::side(std::string_view name) {
  const auto found = std::ranges::find(children_, name, &ReportedChild::name);
  tenon::expects(found != children_.end(), "no side has that name");
  return *found;
}

void Sides::finish_side(std::size_t index) {
  ReportedChild& child = children_[index];
  auto ended = child.finish(deadline_);
  if (!ended) {
    ADD_FAILURE() << child.name() << " did not end";
    child.kill();
    ended = child.finish(tenon::never);
  }
  if (ended->signal() != 0 && !child.was_killed()) {
    if (const char* step = stage_.board().steps[index].data(); *step != '\0') {
      ADD_FAILURE() << child.name() << " was at " << step;
    }
  }
  if (!ended->success() && !child.was_killed()) {
    stage_.board().failed = 1;
    stage_.change();
  }
}

void Sides::finish() {
  // In the order of their ends, so that the death of one ends the waits of the others.
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    left.push_back(i);
  }
  while (!left.empty()) {
    std::vector<tenon::PollItem> items;
    for (const std::size_t i : left) {
      items.push_back({.fd = children_[i].process().fd()});
    }
    const bool in_time = tenon::wait_any(items, deadline_).has_value();
    for (std::size_t at = items.size(); at-- > 0;) {
      if (!in_time || items[at].ready != tenon::Ready::nothing) {
        finish_side(left[at]);
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
  }
  children_.clear();
}

Sides::~Sides() { finish(); }

void run_sides(std::vector<Side> sides, Duration limit) { Sides(std::move(sides), limit).finish(); }

void run_in_either_order(const Meeting& one, const Meeting& other) {
  const auto side = [](const Meeting& meet, bool first) {
    return [&meet, first](Stage& stage) {
      if (!first) {
        stage.await("the first is there");
      }
      meet([&] { stage.signal(first ? "the first is there" : "the second is there"); });
    };
  };
  for (const bool one_first : {true, false}) {
    run_sides({{one_first ? "one, first" : "one, second", side(one, one_first)},
               {one_first ? "other, second" : "other, first", side(other, !one_first)}});
  }
}

}  // namespace kit
