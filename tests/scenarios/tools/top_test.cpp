#include "fixture.hpp"
#include "gc_members.hpp"

#include <tenon/os/fd.hpp>

#include <tenon/os/process.hpp>

#include <kit/asleep.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/unique.hpp>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <thread>
#include <unistd.h>

namespace tools {
namespace {

using namespace tenon;
using namespace std::chrono_literals;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr const char* gives_back = "\x1b[?1049l";  // xterm's own screen is shown again

/// `tenon top` at a terminal of 24 rows and 80 columns.
class AtTerminal {
 public:
  explicit AtTerminal(std::vector<std::string> arguments = {}) {
    ::setenv("TERM", "xterm", 1);
    int master = -1;
    int slave = -1;
    const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, &size), 0) << std::strerror(errno);
    screen_ = Fd::adopt(master);
    keyboard_ = Fd::adopt(slave);
    arguments.insert(arguments.begin(), "top");
    top_.emplace(arguments, copy(), copy());
  }

  /// All that was sent to the screen, as soon as `wanted` is among it.
  const std::string& until(const std::string& wanted) {
    const Deadline patience = after(kit::patient(kit::default_limit));
    while (seen_.find(wanted) == std::string::npos && !patience.passed()) {
      take();
    }
    EXPECT_THAT(seen_, HasSubstr(wanted));
    return seen_;
  }
  /// What is sent from now on until it is quiet for so long.
  std::size_t sent_within(std::chrono::milliseconds time) {
    const std::size_t before = seen_.size();
    for (const Deadline end = after(time); !end.passed();) {
      take();
    }
    return seen_.size() - before;
  }
  void press(const std::string& keys) {
    EXPECT_EQ(::write(screen_.raw(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void forget() { seen_.clear(); }
  void resize(unsigned short rows, unsigned short columns) {
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(::ioctl(screen_.raw(), TIOCSWINSZ, &size), 0);
    top_->signal(SIGWINCH);
  }
  void signal(int number) { top_->signal(number); }
  Finished finish() { return top_->finish(); }

 private:
  Fd copy() const { return Fd::adopt(::dup(keyboard_.raw())); }
  void take() {
    pollfd item{.fd = screen_.raw(), .events = POLLIN, .revents = 0};
    std::array<char, 4096> part{};
    if (::poll(&item, 1, 20) == 1) {
      const ssize_t got = ::read(screen_.raw(), part.data(), part.size());
      seen_.append(part.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    }
  }

  Fd screen_ = Fd::adopt(-1);
  Fd keyboard_ = Fd::adopt(-1);  // kept open, so that what was sent last can still be read
  std::optional<Command> top_;
  std::string seen_;
};

TEST(ToolsTop, fills_the_screen_and_gives_it_back_at_q) {
  AtTerminal top;
  top.until("TRAFFIC");
  top.until("q quit");
  top.press("q");
  top.until(gives_back);
  EXPECT_TRUE(top.finish().status.success());
}

TEST(ToolsTop, gives_the_screen_back_at_ctrl_c) {
  AtTerminal top;
  top.until("q quit");
  top.signal(SIGINT);
  top.until(gives_back);
  EXPECT_TRUE(top.finish().status.success());
}

TEST(ToolsTop, sends_only_what_has_changed) {
  kit::in_private_namespaces(
      [] {
        AtTerminal top({"--interval", "0.1"});
        const std::size_t whole = top.until("q quit").size();
        // Ten looks and more, of which each changes the clock in the title at most.
        EXPECT_LT(top.sent_within(2000ms), whole * 3);
        top.press("q");
        top.until(gives_back);
        EXPECT_TRUE(top.finish().status.success());
      },
      kit::Namespaces::objects_and_pids);
}

TEST(ToolsTop, takes_a_new_size_of_the_terminal) {
  AtTerminal top;
  top.until("q quit");
  top.forget();
  top.resize(40, 120);
  top.until("\x1b[40");  // the last line goes to the last row
  top.press("q");
  EXPECT_TRUE(top.finish().status.success());
}

TEST(ToolsTop, keys_filter_show_and_turn_to_processes) {
  kit::in_private_namespaces([] {
    const int id = ::msgget(IPC_PRIVATE, 0600);
    const std::string name = "sysv_queue:#" + std::to_string(id);
    AtTerminal top;
    top.until("q quit");
    top.press("/" + name + "\r");
    top.press("s");
    top.until("kernel.msgmnb");  // of what is chosen: only that queue is left
    top.press("q");
    top.until("T traffic");
    top.press("/\x1b");
    top.press("p");
    top.until("COMMAND");
    top.press("q");
    top.until(gives_back);
    EXPECT_TRUE(top.finish().status.success());
    ::msgctl(id, IPC_RMID, nullptr);
  });
}

// Names that share no letter at any place: what is already there is not sent again.
TEST(ToolsTop, keeps_what_was_chosen_wherever_it_moves_to) {
  kit::in_private_namespaces([] {
    const auto make = [](const char* name) {
      ::mq_close(::mq_open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600, nullptr));
    };
    make("/beta");
    make("/gamma");
    AtTerminal top({"--interval", "0.1", "--mechanism", "posix_queue"});
    top.until("gamma");
    top.press("Nj");  // sorted by name, the second
    make("/alpha");
    top.until("alpha");
    top.forget();
    top.press("s");
    EXPECT_THAT(top.until("fs.mqueue"), HasSubstr("/gamma"));
    top.press("qq");
    top.until(gives_back);
    EXPECT_TRUE(top.finish().status.success());
    for (const char* const name : {"/alpha", "/beta", "/gamma"}) {
      ::mq_unlink(name);
    }
  });
}

// Who sleeps in a call of the kernel is told too, and of the other kinds nothing where one was asked for.
TEST(ToolsTop, tells_who_waits_for_what_and_keeps_to_the_kinds_that_were_asked_for) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "who comes into namespaces of its own as an ordinary user may not be looked at by the tools";
  }
  kit::in_private_namespaces([] {
    const int id = ::msgget(IPC_PRIVATE, 0600);
    Child waiter = spawn([&] {
                     std::array<long, 2> message{};
                     return static_cast<int>(::msgrcv(id, message.data(), sizeof message[1], 0, 0));
                   }).or_throw();
    kit::until_asleep(waiter.pid());
    const Finished once = run({"top", "--once", "--interval", "0.05", "--mechanism", "sysv_queue"});
    const std::string name = "sysv_queue:#" + std::to_string(id);
    EXPECT_TRUE(waiter.signal(SIGKILL));
    EXPECT_TRUE(waiter.wait(never));
    ::msgctl(id, IPC_RMID, nullptr);
    EXPECT_THAT(once.output, HasSubstr("1 object, 1 process;"));
    EXPECT_THAT(once.output, ContainsRegex("- +0 +1  " + name));
    EXPECT_THAT(once.output, ContainsRegex(" " + std::to_string(waiter.pid()) + " .* msgrcv: " + name));
  });
}

TEST(ToolsTop, without_a_terminal_it_says_so_in_one_line_and_what_to_do) {
  Command top({"top"}, fd_from(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open").or_throw());
  const Finished finished = top.finish();
  EXPECT_EQ(finished.status, ExitStatus::exited(1));
  EXPECT_EQ(std::ranges::count(finished.errors, '\n'), 1);
  EXPECT_THAT(finished.errors, HasSubstr("--once"));
}

TEST(ToolsTop, one_picture_as_text_has_what_went_through_and_what_waits) {
  kit::in_private_namespaces([] {
    kit::UniqueDomain domain;
    const int id = ::msgget(IPC_PRIVATE, 0600);
    const std::array<long, 2> message = {1, 0};
    ASSERT_EQ(::msgsnd(id, message.data(), 1, 0), 0);
    {
      const Life life = Life::join(domain.domain()).or_throw();
      const Holder holder = Holder::of(domain.domain(), life).or_throw();
      auto publisher = Publisher<Word>::create(holder, "pose").or_throw();
      std::atomic<bool> ends = false;
      std::jthread busy([&] {
        while (!ends.load()) {
          (void)publisher.try_publish({.number = 1});
          std::this_thread::yield();
        }
      });
      const Finished once = run({"top", "--once", "--interval", "0.2", "--domain", domain.path()});
      ends.store(true);
      EXPECT_TRUE(once.status.success()) << once.errors;
      EXPECT_THAT(once.output, ContainsRegex("[0-9.]+[kM]?/s +0 +0  topic:pose +" + std::to_string(::getpid())));
      EXPECT_THAT(once.output, ContainsRegex("- +1 +0  sysv_queue:#" + std::to_string(id)));
    }
    ::msgctl(id, IPC_RMID, nullptr);
  });
}

}  // namespace
}  // namespace tools
