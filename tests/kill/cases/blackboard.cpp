// A process is killed while it writes a key of a blackboard, adds one, reads, waits, or makes the board. Who comes next
// finds each value whole, the last one stored or the one before, and each key writable; no entry is lost. The control
// says that a value is there before its words are.
#include "../cases.hpp"
#include "../must.hpp"

#include <kit/kill_case.hpp>
#include <kit/numbers.hpp>
#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <kit/unique.hpp>
#include <tenon/messaging/blackboard/blackboard.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sched.h>
#include <string>
#include <thread>
#include <vector>

namespace kill_cases {

namespace {

using namespace std::chrono_literals;
using kit::numbered;
using tenon::after;
using tenon::Errc;
using tenon::Latest;
using tenon::never;

using Value = kit::Numbers<20>;
using Board = tenon::Blackboard<std::uint64_t, Value>;
using Entry = tenon::BoardEntry<Value>;

constexpr tenon::BoardOptions few_keys{.keys = 4};
constexpr std::uint64_t written_before = 3;  // values 1, 2 and 3 of key 0

/// A board with one key in a domain; whoever takes part joins for itself.
class BoardTrial : public kit::KillTrial {
 public:
  BoardTrial() {
    join();
    for (std::uint64_t i = 1; i <= written_before; ++i) {
      board_->write(0, numbered<Value>(i), never).or_throw();
    }
    leave();
  }
  ~BoardTrial() override {
    std::error_code dropped;
    std::filesystem::remove_all(scene_path(), dropped);
  }
  void before() override {
    join();
    entry_.emplace(board_->find<Value>(0).or_throw());
  }
  /// What it was before the operation, or one value more; and all goes on from there.
  void survive() override {
    join();
    look_at_first_key();
    must(board_->watch().next(never).has_value(), "what is there is not told");
    const std::uint64_t number = board_->read<Value>(0).or_throw().number + 1;
    must(board_->write(0, numbered<Value>(number), never).or_throw() == number, "a number was left out");
    look_at_first_key();
    look_at_keys();
    leave();
    static_cast<void>(tenon::sweep(domain_).or_throw());
  }
  void rival() override {
    join();
    entry_.emplace(board_->find<Value>(0).or_throw());
    operation();
    leave();
  }
  bool rival_may_wait() const override { return true; }
  bool wants_steady_clock() const override { return true; }
  std::vector<std::string> leaked() override {
    auto names = kit::names_in(scene_path());
    std::erase(names, "board.b");
    return names;
  }
  std::uint64_t state() override { return kit::hash_of_tree(scene_path()); }

 protected:
  Board& board() { return *board_; }
  Entry& entry() { return *entry_; }
  void join() {
    life_.emplace(tenon::Life::join(domain_).or_throw());
    holder_.emplace(tenon::Holder::of(domain_, *life_).or_throw());
    board_.emplace(Board::open_or_create(*holder_, "b", few_keys).or_throw());
  }
  void leave() {
    entry_.reset();
    board_.reset();
    std::move(*life_).leave().or_throw();
    life_.reset();
  }
  const tenon::Holder& holder() const { return *holder_; }
  static void must_be_whole(const Latest<Value>& latest) {
    must(kit::is_whole(latest.value), "a value is torn");
    // One less where a rival has stored the one that it was to be.
    must(latest.value.number == latest.number || latest.value.number + 1 == latest.number, "a number is another's");
  }

 private:
  void look_at_first_key() {
    const auto latest = board_->read<Value>(0).or_throw();
    must_be_whole(latest);
    must(latest.number >= written_before, "a value that was stored is gone");
    const auto previous = board_->find<Value>(0).or_throw().read_previous().or_throw();
    must_be_whole(previous);
    must(previous.number + 1 == latest.number, "the value before is another");
  }
  // Each key once, and room for all that the board was made for.
  void look_at_keys() {
    auto keys = board_->keys();
    for (std::uint64_t key = 0; key < few_keys.keys; ++key) {
      const auto there = std::ranges::count(keys, key);
      must(there <= 1, "a key is there twice");
      auto found = board_->entry<Value>(key, never);
      must(found.has_value(), "an entry is lost");
      const std::uint64_t number = found->number() + 1;
      must(found->write(numbered<Value>(number), never).or_throw() == number, "a number was left out");
      must_be_whole(found->read().or_throw());
    }
    must(board_->keys().size() == few_keys.keys, "there are keys that nobody has added");
    must(board_->write(99, Value{}, never).failed_with(Errc::limit_reached), "there are more entries than were made");
  }
  // The same in each trial: what is hashed or formatted takes the same path then.
  static const std::string& scene_path() {
    static const std::string path = "/dev/shm/" + kit::unique_name("tenon-kill");
    return path;
  }

  tenon::Domain domain_ = tenon::Domain::open(scene_path()).or_throw();
  std::optional<tenon::Life> life_;
  std::optional<tenon::Holder> holder_;
  std::optional<Board> board_;
  std::optional<Entry> entry_;
};

class Write : public BoardTrial {
 public:
  void operation() override { entry().write(numbered<Value>(entry().number() + 1), never).or_throw(); }
};
class Add : public BoardTrial {
 public:
  void operation() override { board().write(1, numbered<Value>(1), never).or_throw(); }
};
class Read : public BoardTrial {
 public:
  void operation() override { must_be_whole(entry().read().or_throw()); }
};

// Some readings of a steady clock; by the real one it is over when the waiter is about to sleep.
constexpr auto a_moment = 3us;

/// Waits in vain for a moment; the survivor wakes a waiter of its own.
class Wait : public BoardTrial {
 public:
  void operation() override {
    must(entry().wait(written_before, after(a_moment)).failed_with(Errc::timed_out), "a value came from nowhere");
  }
  void survive() override {
    join();
    auto found = board().find<Value>(0).or_throw();
    const std::uint64_t seen = found.number();
    std::atomic<bool> woken = false;
    std::thread waiter([&] { woken = found.wait(seen, never).has_value(); });
    while (!woken) {
      found.write(numbered<Value>(found.number() + 1), never).or_throw();
      ::sched_yield();
    }
    waiter.join();
    leave();
    BoardTrial::survive();
  }
};
/// Another board, which is there whole or not at all.
class Make : public BoardTrial {
 public:
  void operation() override { static_cast<void>(Board::open_or_create(holder(), "made", few_keys).or_throw()); }
  void survive() override {
    BoardTrial::survive();
    join();
    auto made = Board::open_or_create(holder(), "made", few_keys).or_throw();
    made.write(0, numbered<Value>(made.keys().size() + 1), never).or_throw();
    Board::remove(holder().domain(), "made").or_throw();
    leave();
  }
  bool changes_without_calls() const override { return false; }
};

/// The control: the state says that the value is there before its words are.
class StatedFirst : public kit::KillTrial {
 public:
  void operation() override {
    memory_->state.store(2);
    for (std::uint64_t i = 0; i < words; ++i) {
      memory_->copies[words + i].store(i + 1);
    }
  }
  void survive() override {
    const tenon::SequencedCopies<> copies(memory_->state, memory_->copies.data(), words, 4);
    must(copies.read(copies.number(), words,
                     [number = copies.number()](std::size_t i, std::uint64_t word) {
                       must(number == 0 || word == i + 1, "a value is torn");
                     }),
         "a value is overtaken by nobody");
  }
  std::uint64_t state() override { return kit::hash_of(memory_.bytes()); }

 private:
  static constexpr std::size_t words = 4;
  struct Memory {
    std::atomic<std::uint64_t> state;
    std::array<std::atomic<std::uint64_t>, 4 * words> copies;
  };
  kit::Shared<Memory> memory_;
};

}  // namespace

kit::KillCase board_write() { return case_of<Write>("board: write a key"); }
kit::KillCase board_add() { return case_of<Add>("board: add a key"); }
kit::KillCase board_read() { return case_of<Read>("board: read a key"); }
kit::KillCase board_wait() { return case_of<Wait>("board: wait for a key"); }
kit::KillCase board_make() { return case_of<Make>("board: make one"); }
kit::KillCase board_stated_first() { return case_of<StatedFirst>("board: a value said to be there first", true); }

}  // namespace kill_cases
