#pragma once
/// A process that plays a part: it says numbers, and takes its steps when it is told to.
///
///     Actor member([&](Actor::Stage& stage) { …join…; stage.say(token); stage.await_cue(); … });
///     const Token token = Token::from(member.next());
///     member.cue();
#include <tenon/os/process.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace life_table {

class Actor {
 public:
  /// The actor's side: two pipes. Their numbers survive an exec.
  class Stage {
   public:
    Stage(int says, int hears) noexcept : says_(says), hears_(hears) {}
    void say(std::uint64_t number) const;
    /// Ends the process if the table is gone.
    void await_cue() const;
    int says() const noexcept { return says_; }
    int hears() const noexcept { return hears_; }

   private:
    int says_;
    int hears_;
  };
  using Part = std::function<void(const Stage&)>;

  explicit Actor(const Part& part);
  /// Kills it if it still runs, and reaps it.
  ~Actor();
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  /// What it said next. Throws if it says nothing for so long or has died.
  std::uint64_t next(std::chrono::milliseconds patience = std::chrono::seconds(30)) const;
  void cue() const;
  /// Readable when it has ended.
  tenon::FdView end() const noexcept { return child_.fd(); }
  pid_t pid() const noexcept { return child_.pid(); }
  void signal(int number) const { child_.signal(number).or_throw(); }
  /// Waits until it has the state that /proc shows: 'Z', 'T' …
  void await_state(char state) const;
  void reap();

 private:
  static tenon::Child start(const Part& part, const std::vector<int>& inside, const std::vector<int>& outside);
  static std::vector<int> two_pipes();
  Actor(const Part& part, std::vector<int> ends);

  tenon::Fd hears_;
  tenon::Fd says_;
  tenon::Child child_;
  bool reaped_ = false;
};

}  // namespace life_table
