// A process is killed while it enters a channel's rendezvous, leaves it, confirms or sweeps, with a real FIFO as the
// channel's object; another goes on in its place, in both roles. Two controls: one who makes the FIFO before it has
// noted that it does, and one who enters before it is alive.
#include "../cases.hpp"
#include "../must.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <kit/steady.hpp>
#include <kit/unique.hpp>
#include <tenon/channel/fifo_channel.hpp>
#include <tenon/channel/pipe_carrier.hpp>
#include <tenon/channel/rendezvous_records.hpp>
#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/process.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sched.h>
#include <unistd.h>

namespace kill_cases {

namespace {

using namespace tenon;

// The same in each trial: what is hashed or formatted takes the same path then.
const std::string& scene_path() {
  static const std::string path = "/dev/shm/" + kit::unique_name("tenon-kill");
  return path;
}

/// A domain and a directory for the FIFO. The destructor takes away what is left; leaked() tells what that was.
class Scene {
 public:
  Scene()
      : root_(scene_path()),
        made_(std::filesystem::create_directories(root_ + "/fifos")),
        domain_(std::make_shared<Domain>(Domain::open(root_ + "/domain").or_throw())) {}
  ~Scene() {
    std::error_code dropped;
    std::filesystem::remove_all(root_, dropped);
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  const std::string& root() const noexcept { return root_; }
  std::string fifo() const { return root_ + "/fifos/channel"; }
  std::string uri() const { return "fifo:" + fifo(); }
  std::shared_ptr<const Domain> domain() const { return domain_; }
  std::vector<std::string> names() const {
    std::vector<std::string> all = kit::names_in(root_ + "/domain");
    for (const std::string& name : kit::names_in(root_ + "/fifos")) {
      all.push_back(name);
    }
    return all;
  }

 private:
  std::string root_;
  bool made_;
  std::shared_ptr<const Domain> domain_;
};

class ChannelTrial : public kit::KillTrial {
 public:
  // What the next one does who comes to this channel.
  void survive() override { converse(); }
  std::vector<std::string> leaked() override { return scene_.names(); }
  std::uint64_t state() override { return kit::hash_of_tree(scene_.root()); }
  bool changes_without_calls() const override { return false; }
  bool rival_may_wait() const override { return true; }      // for the lock
  bool wants_steady_clock() const override { return true; }  // peers are looked at again every 50 ms

 protected:
  Result<Rendezvous> join(Role role) const {
    return Rendezvous::join(scene_.domain(), scene_.uri(), role, fifo_keeper(scene_.fifo()), patience());
  }

  // Enters in both roles, sends itself a message, ends, confirms and leaves.
  void converse() const {
    Rendezvous receiving = join(Role::receiver).or_throw();
    Rendezvous sending = join(Role::sender).or_throw();
    const Fifo fifo = Fifo::open(scene_.fifo()).or_throw();
    ReadEnd reader = fifo.try_open_for_reading().or_throw();
    WriteEnd writer = fifo.try_open_for_writing().or_throw();
    Receiver in(std::move(receiving), std::make_unique<PipeSource>(std::move(reader)));
    Sender out(std::move(sending), std::make_unique<PipeSink>(std::move(writer)));
    out.send(bytes_of("still there?"), patience()).or_throw();
    must(text_of(in.receive(100, patience()).or_throw()) == "still there?", "the message arrived otherwise");
    const auto unconfirmed = std::move(out).finish(immediately);
    must(unconfirmed.failed_with(Errc::timed_out), "a sender was confirmed before its receiver had finished");
    must(in.receive(100, patience()).failed_with(Errc::closed), "the sender's end did not arrive");
    std::move(in).finish(patience()).or_throw();
  }

  static Deadline patience() { return after(std::chrono::seconds(5)); }
  const Scene& scene() const noexcept { return scene_; }

 private:
  Scene scene_;
};

/// Somebody else is at one end of the channel, does nothing, and must not be disturbed.
class BystanderTrial : public ChannelTrial {
 public:
  explicit BystanderTrial(Role role) : role_(role), bystander_(spawn([this] { return stand_by(); }).or_throw()) {
    while (*token_ == 0) {
      ::sched_yield();
    }
    expected_ = scene().names();
  }
  ~BystanderTrial() override {
    (void)bystander_.signal(SIGKILL);
    (void)bystander_.wait(never);
  }

  void survive() override {
    must(bystander_is_entered(), "a living process is not entered any more");
    const auto second = join(role_);
    must(role_ == Role::sender || second.failed_with(Errc::already_exists), "a second receiver was let in");
    must(role_ == Role::receiver || second.has_value(), "a second sender was refused");
    Rendezvous other = join(role_ == Role::receiver ? Role::sender : Role::receiver).or_throw();
    std::move(other).leave(patience()).or_throw();
  }
  std::vector<std::string> broken() override {
    return bystander_is_entered() ? std::vector<std::string>() : std::vector<std::string>{"the bystander was removed"};
  }
  std::vector<std::string> leaked() override {
    std::vector<std::string> left = scene().names();
    std::erase_if(left, [&](const std::string& name) { return std::ranges::find(expected_, name) != expected_.end(); });
    return left;
  }

 protected:
  Token bystander() const { return Token::from(*token_); }

 private:
  int stand_by() {
    kit::wants_steady_random = 3;  // its file's name is read by those who are stepped through
    const Rendezvous rendezvous = join(role_).or_throw();
    *token_ = rendezvous.token().value();
    while (true) {
      ::pause();
    }
  }
  bool bystander_is_entered() const {
    const auto file =
        RendezvousFile::lock(*scene().domain(), RendezvousFile::name_for(scene().uri()), patience()).or_throw();
    return std::ranges::any_of(participants_in(*scene().domain(), file), [&](const Participant& one) {
      return one.token == bystander() && one.role == role_ && one.alive;
    });
  }

  kit::Shared<std::atomic<std::uint64_t>> token_;
  Role role_;
  Child bystander_;
  std::vector<std::string> expected_;
};

/// Enters an empty channel, so that it makes file and FIFO. In a race for the one place of the receiver, one wins.
class JoinAsReceiver : public ChannelTrial {
 public:
  void operation() override {
    auto joined = join(Role::receiver);
    if (joined) {
      ++*inside_;
      held_.emplace(std::move(*joined));
    } else {
      must(joined.failed_with(Errc::already_exists), "a receiver was neither let in nor told of the other one");
    }
  }
  std::vector<std::string> broken() override {
    return *inside_ > 1 ? std::vector<std::string>{"two receivers were let in"} : std::vector<std::string>();
  }

 protected:
  kit::Shared<std::atomic<int>> inside_;
  std::optional<Rendezvous> held_;
};

class JoinAsSender : public BystanderTrial {
 public:
  JoinAsSender() : BystanderTrial(Role::receiver) {}
  void operation() override { held_.emplace(join(Role::sender).or_throw()); }

 private:
  std::optional<Rendezvous> held_;
};

/// The last one out takes FIFO and file along.
class LeaveLast : public ChannelTrial {
 public:
  void before() override { held_.emplace(join(Role::receiver).or_throw()); }
  void operation() override { std::move(*held_).leave(patience()).or_throw(); }

 private:
  std::optional<Rendezvous> held_;
};

class ConfirmAndLeave : public BystanderTrial {
 public:
  ConfirmAndLeave() : BystanderTrial(Role::sender) {}
  void before() override { held_.emplace(join(Role::receiver).or_throw()); }
  void operation() override {
    held_->confirm(bystander(), patience()).or_throw();
    std::move(*held_).leave(patience()).or_throw();
  }

 private:
  std::optional<Rendezvous> held_;
};

/// A channel's whole life, both ends in one process.
class Conversation : public ChannelTrial {
 public:
  void operation() override { converse(); }
};

/// All who were at the channel have been killed, and somebody else's join sweeps up.
class SweepChannels : public ChannelTrial {
 public:
  SweepChannels() {
    Child dying = spawn([this] {
                    kit::wants_steady_random = 3;
                    const Rendezvous entered = join(Role::receiver).or_throw();
                    return ::raise(SIGKILL);
                  }).or_throw();
    (void)dying.wait(never).or_throw();
  }
  void operation() override { Rendezvous::sweep(*scene().domain(), fifo_keeper(scene().fifo())); }
};

/// Control: the FIFO is there before the file says that a channel made it, so nobody removes it after a kill in
/// between.
class MadeBeforeNoted : public ChannelTrial {
 public:
  void operation() override {
    auto file = RendezvousFile::lock_or_create(*scene().domain(), scene().uri(), patience()).or_throw();
    (void)Fifo::create(scene().fifo()).or_throw();
    file.note_object(true, 0).or_throw();
  }
};

/// Control: entered before it is alive. Whoever comes in between takes it for a dead one, and its place as well.
class EnteredBeforeAlive : public JoinAsReceiver {
 public:
  void operation() override {
    const LifeName name{.stage = LifeStage::member, .who = Member::self()};
    enter(name.who.token);
    file_ = create_file(scene().domain()->directory(), name.text().c_str(), owner_only).or_throw();
    struct flock lock{};
    lock.l_type = F_WRLCK;
    must(::fcntl(file_.raw(), F_SETLK, &lock) == 0, "a fresh file cannot be locked");
    ++*inside_;
  }
  void rival() override { JoinAsReceiver::operation(); }

 private:
  void enter(Token token) const {
    auto file = RendezvousFile::lock_or_create(*scene().domain(), scene().uri(), patience()).or_throw();
    (void)clear_unneeded(*scene().domain(), file).or_throw();
    RendezvousRecord record{};
    record.token = token.value();
    record.role = static_cast<std::uint32_t>(Role::receiver);
    record.state = static_cast<std::uint32_t>(Progress::open);
    file.write(file.free_slot(), record).or_throw();
  }
  Fd file_ = Fd::adopt(-1);
};

}  // namespace

kit::KillCase rendezvous_join_receiver() { return case_of<JoinAsReceiver>("rendezvous: receiver joins"); }
kit::KillCase rendezvous_join_sender() { return case_of<JoinAsSender>("rendezvous: sender joins"); }
kit::KillCase rendezvous_leave() { return case_of<LeaveLast>("rendezvous: last one leaves"); }
kit::KillCase rendezvous_confirm() { return case_of<ConfirmAndLeave>("rendezvous: confirm, leave"); }
kit::KillCase rendezvous_sweep() { return case_of<SweepChannels>("rendezvous: sweep"); }
kit::KillCase channel_conversation() { return case_of<Conversation>("channel: open to close"); }
kit::KillCase rendezvous_made_before_noted() { return case_of<MadeBeforeNoted>("FIFO made before noted", true); }
kit::KillCase rendezvous_entered_before_alive() { return case_of<EnteredBeforeAlive>("entered before alive", true); }

}  // namespace kill_cases
