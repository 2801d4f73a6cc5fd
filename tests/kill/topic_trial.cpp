#include "topic_trial.hpp"

#include <kit/state_hash.hpp>
#include <kit/steady.hpp>
#include <kit/unique.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/life_sweep.hpp>

#include <csignal>
#include <filesystem>

namespace kill_cases {

using tenon::never;
using tenon::Publisher;
using tenon::Subscriber;

namespace {

void wait_for(std::atomic<std::uint32_t>& word) {
  (void)tenon::futex_wait_until(word, [&] { return word.load() != 0; }, never);
}
void say(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  word.store(value);
  tenon::futex_wake_all(word);
}

}  // namespace

// The same in each trial: what is hashed or formatted takes the same path then.
const std::string& TopicTrial::scene_path() {
  static const std::string path = "/dev/shm/" + kit::unique_name("tenon-kill");
  return path;
}

TopicTrial::~TopicTrial() {
  if (bystander_) {
    (void)bystander_->signal(SIGKILL);
    (void)bystander_->wait(never);
  }
  std::error_code dropped;
  std::filesystem::remove_all(scene_path(), dropped);
}

void TopicTrial::before() { join(); }

void TopicTrial::survive() {
  say(board_->go, 1);
  wait_for(board_->done);
  must(board_->done == 1, board_->wrong.data());
  (void)tenon::sweep(domain_).or_throw();
  join();
  auto subscriber = Subscriber<Short>::create(*holder_, "next").or_throw();
  auto publisher = Publisher<Short>::create(*holder_, "next", small).or_throw();
  publisher.publish(kit::numbered<Short>(1), never).or_throw();
  must_be(*subscriber.receive(never).or_throw(), 1);
  std::move(publisher).close().or_throw();
  std::move(subscriber).close().or_throw();
  std::move(*life_).leave().or_throw();  // nobody destroys a trial in a survivor
}

std::vector<std::string> TopicTrial::leaked() { return kit::names_in(scene_path()); }
// Behind that lie the chunks of long messages, which are looked at by who receives them.
std::uint64_t TopicTrial::state() { return kit::hash_of_tree(scene_path(), std::size_t{64} << 10); }

void TopicTrial::start_bystander(std::function<void()> body) {
  bystander_.emplace(tenon::spawn([this, body = std::move(body)] { return stand_by(body); }).or_throw());
  wait_for(board_->ready);
}

void TopicTrial::ready_and_wait() {
  say_ready();
  wait_until_killed();
}
void TopicTrial::say_ready() { say(board_->ready, 1); }
void TopicTrial::wait_until_killed() { wait_for(board_->go); }

void TopicTrial::once_joined(const std::function<void()>& body) {
  say_ready();
  answer_once_joined(body);
}

void TopicTrial::answer_once_joined(const std::function<void()>& body) {
  wait_for(board_->joined);
  body();
  say(board_->answered, 1);
}

void TopicTrial::say_joined() {
  say(board_->joined, 1);
  wait_for(board_->answered);
}

void TopicTrial::join() {
  life_.emplace(tenon::Life::join(domain_).or_throw());
  holder_.emplace(tenon::Holder::of(domain_, *life_).or_throw());
}

int TopicTrial::stand_by(const std::function<void()>& body) {
  kit::wants_steady_random = 3;  // its files' names are read by those who are stepped through
  try {
    join();
    body();
    std::move(*life_).leave().or_throw();
    say(board_->done, 1);
  } catch (const std::exception& broken) {
    std::string_view(broken.what()).copy(board_->wrong.data(), board_->wrong.size() - 1);
    say(board_->done, 2);
  }
  return 0;
}

}  // namespace kill_cases
