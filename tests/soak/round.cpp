#include "round.hpp"

#include <kit/patience.hpp>
#include <kit/unique.hpp>
#include <tenon/os/life_sweep.hpp>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace soak {

namespace {

// Milliseconds between two kills, at most.
constexpr std::uint64_t longest_pause = 50;

}  // namespace

Round::Round(const tenon::Domain& domain, Ledger& ledger, const Options& options, Random& random, Kills& kills)
    : domain_(domain), ledger_(ledger), options_(options), random_(random), kills_(kills) {
  options.hostile ? take_hostile_seats() : take_seats();
}

void Round::take_seats() {
  for (const Kind kind : {Kind::entries, Kind::batches, Kind::chunks, Kind::slices}) {
    for (const Work work : {Work::receive_all, Work::receive_lossy}) {
      seats_.push_back({.role = {.work = work, .kind = kind, .is_spared = true}});
      seats_.push_back({.role = {.work = work, .kind = kind, .is_spared = false}});
    }
    seats_.push_back({.role = {.work = Work::publish, .kind = kind, .is_spared = false}});
    seats_.push_back({.role = {.work = Work::publish, .kind = kind, .is_spared = false}});
  }
  seats_.push_back({.role = {.work = Work::receive_newest, .kind = Kind::entries, .is_spared = true}});
}

// Of two topics at a time: who writes garbage takes much of the machine.
void Round::take_hostile_seats() {
  const bool is_odd = kills_.rounds % 2 == 1;
  for (const Kind kind : {is_odd ? Kind::entries : Kind::batches, is_odd ? Kind::chunks : Kind::slices}) {
    for (const Work work : {Work::publish, Work::receive_all, Work::receive_lossy}) {
      seats_.push_back({.role = {.work = work, .kind = kind, .is_spared = true}});
      seats_.push_back({.role = {.work = work, .kind = kind, .is_spared = false}});
    }
    for (const Work work : {Work::garble_lossy, Work::garble_gates, Work::garble_reliable}) {
      seats_.push_back({.role = {.work = work, .kind = kind, .is_spared = false}});
    }
  }
}

void Round::run(const std::function<bool()>& is_enough) {
  const std::vector<std::string> names_before = kit::names_in(domain_.path());
  ledger_.begin_round(static_cast<std::uint32_t>(++kills_.rounds));
  std::ranges::for_each(seats_, [this](Seat& seat) { start(seat); });
  work(is_enough);
  end_publishers();
  drain();
  expect_nothing_left(names_before);
}

void Round::start(Seat& seat) {
  const Task task{
      .domain = domain_, .ledger = ledger_, .role = seat.role, .fault = options_.fault, .seed = random_.next()};
  const bool is_hostile = seat.role.work >= Work::garble_lossy;
  const auto live = seat.role.work == Work::publish ? publish : is_hostile ? garble : subscribe;
  seat.process = tenon::spawn([&] { return live(task); }).or_throw();
}

void Round::work(const std::function<bool()>& is_enough) {
  const auto is_full = [this] {
    for (std::size_t topic = 0; topic < topic_count; ++topic) {
      if (ledger_.topic(topic).publishers.load() >= most_publishers - 8) {
        return true;
      }
    }
    return false;
  };
  while (!is_enough() && !is_full() && ledger_.complaints() == 0) {
    ::usleep(static_cast<useconds_t>(random_.below(longest_pause * 1000)));
    expect_alive();
    Seat& victim = seats_[random_.below(seats_.size())];
    if (options_.kills && !victim.role.is_spared) {
      kill(victim);
      start(victim);
      ++kills_.restarted;
    }
  }
}

// Some are killed, and nobody comes after them; the others close.
void Round::end_publishers() {
  for (Seat& seat : seats_) {
    if (options_.kills && seat.role.work == Work::publish && random_.rarely(1)) {
      kill(seat);
    }
  }
  ledger_.enter(Phase::no_more);
  for (Seat& seat : seats_) {
    if (seat.role.work == Work::publish) {
      reap(seat);
    }
  }
}

// Some subscribers are killed in the midst of it.
void Round::drain() {
  ledger_.enter(Phase::drain);
  for (Seat& seat : seats_) {
    if (options_.kills && !seat.role.is_spared && random_.rarely(2)) {
      kill(seat);
    }
  }
  std::ranges::for_each(seats_, [this](Seat& seat) { reap(seat); });
}

void Round::kill(Seat& seat) {
  if (!seat.process) {
    return;
  }
  seat.process->signal(SIGKILL).or_throw();
  const auto ended = seat.process->wait(tenon::never).or_throw();
  if (ended.signal() == SIGKILL) {
    ++kills_.killed;
  } else if (!ended.success()) {
    ledger_.complain(text_of(seat.role) + ": " + ended.message());
  }
  seat.process.reset();
}

void Round::reap(Seat& seat) {
  if (!seat.process) {
    return;
  }
  const auto ended = seat.process->wait(tenon::after(kit::patient(std::chrono::seconds(90))));
  if (!ended) {
    ledger_.complain(text_of(seat.role) + " does not end: " + ended.error().message());
    kill(seat);
  } else if (!ended->success()) {
    ledger_.complain(text_of(seat.role) + ": " + ended->message());
  }
  seat.process.reset();
}

// Nobody ends while it has work.
void Round::expect_alive() {
  for (Seat& seat : seats_) {
    if (seat.process && seat.process->wait(tenon::immediately)) {
      ledger_.complain(text_of(seat.role) + " has ended: " + seat.process->wait(tenon::never).or_throw().message());
      seat.process.reset();
    }
  }
}

void Round::expect_nothing_left(const std::vector<std::string>& names_before) {
  if (options_.fault == Fault::file) {
    ::close(::open((domain_.path() + "/topic.left").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  }
  tenon::sweep(domain_).or_throw();
  for (const std::string& name : kit::names_in(domain_.path())) {
    if (!std::ranges::binary_search(names_before, name)) {
      ledger_.complain("the domain has kept " + name);
    }
  }
}

}  // namespace soak
