/// Processes that make and use objects are killed at random; what they leave, and nothing else, `tenon gc` takes away.
/// A few here. TENON_GC_KILLS asks for more: ./dev gc.
#include "fixture.hpp"
#include "gc_deeds.hpp"
#include "gc_members.hpp"

#include <tenon/os/fd.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/unix_address.hpp>

#include <kit/asleep.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/unique.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tools {
namespace {

using namespace tenon;
using namespace std::chrono_literals;
using testing::Contains;
using testing::StartsWith;

constexpr std::size_t at_once = 4;

std::size_t kills_wanted() {
  const char* const asked = std::getenv("TENON_GC_KILLS");
  return asked == nullptr ? 40 : std::strtoul(asked, nullptr, 10);
}

/// What this process holds of each mechanism, and still has when all is over.
class Living {
 public:
  explicit Living(const Playground& playground)
      : life_(Life::join(*playground.domain).or_throw()),
        holder_(Holder::of(*playground.domain, life_).or_throw()),
        publisher_(Publisher<Word>::create(holder_, "topic0").or_throw()),
        server_(Server<Word, Word>::create(holder_, "service0").or_throw()),
        queue_(Queue<Word>::open_or_create(holder_, "queue0").or_throw()),
        socket_path_(playground.directory + "/living"),
        socket_(fd_from(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket").or_throw()),
        segment_(::shmget(IPC_PRIVATE, 4096, 0600)),
        memory_(::shmat(segment_, nullptr, 0)),
        kernel_queue_(::msgget(IPC_PRIVATE, 0600)),
        set_(::semget(IPC_PRIVATE, 1, 0600)) {
    const auto address = UnixAddress::path(socket_path_).or_throw();
    EXPECT_EQ(::bind(socket_.raw(), address.raw(), address.length()), 0);
    EXPECT_EQ(::listen(socket_.raw(), 4), 0);
    const long message[2] = {1, 0};
    EXPECT_EQ(::msgsnd(kernel_queue_, message, 1, 0), 0);
    EXPECT_EQ(::semctl(set_, 0, SETVAL, 1), 0);
  }
  ~Living() {
    ::shmdt(memory_);
    ::shmctl(segment_, IPC_RMID, nullptr);
    ::msgctl(kernel_queue_, IPC_RMID, nullptr);
    ::semctl(set_, 0, IPC_RMID);
    ::unlink(socket_path_.c_str());
  }
  Living(const Living&) = delete;
  Living& operator=(const Living&) = delete;

  void expect_whole() {
    EXPECT_TRUE(life_.confirm());
    EXPECT_TRUE(publisher_.try_publish({.number = 1}));
    EXPECT_TRUE(queue_.try_send({.number = 1}));
    EXPECT_TRUE(server_.try_receive().failed_with(Errc::would_block));
    shmid_ds memory{};
    msqid_ds queue{};
    EXPECT_EQ(::shmctl(segment_, IPC_STAT, &memory), 0);
    EXPECT_EQ(memory.shm_perm.mode & SHM_DEST, 0) << "marked for removal";
    EXPECT_EQ(::msgctl(kernel_queue_, IPC_STAT, &queue), 0);
    EXPECT_EQ(::semctl(set_, 0, GETVAL), 1);
    EXPECT_EQ(::access(socket_path_.c_str(), F_OK), 0);
  }

 private:
  Life life_;
  Holder holder_;
  Publisher<Word> publisher_;
  Server<Word, Word> server_;
  Queue<Word> queue_;
  std::string socket_path_;
  Fd socket_;
  int segment_;
  void* memory_;
  int kernel_queue_;
  int set_;
};

// Each lives for up to some milliseconds.
void kill_many(const Playground& playground, std::size_t kills) {
  std::mt19937 random(kills);
  for (std::size_t done = 0; done < kills; done += at_once) {
    std::vector<Child> children;
    for (std::size_t i = 0; i < at_once; ++i) {
      const auto seed = random();
      children.push_back(spawn([&playground, seed]() -> int { make_and_use(playground, seed); }).or_throw());
    }
    for (Child& child : children) {
      ::usleep(static_cast<useconds_t>(random() % 8000));
      child.signal(SIGKILL).or_throw();
      child.wait(never).or_throw();
    }
  }
}

json clean(const Playground& playground) {
  const Finished finished =
      run({"gc", "--apply", "--likely", "--json", "--domain", playground.domain->path(), "--in", playground.directory});
  EXPECT_TRUE(finished.status.success()) << finished.errors;
  return parsed(finished)["found"];
}

// Of these the kernel, or a life file, always proves it.
bool is_provable(const json& row) {
  const std::string kind = row["kind"];
  for (const char* one : {"sysv_memory", "unix_socket", "life", "channel", "topic", "service", "stream"}) {
    if (kind == one) {
      return true;
    }
  }
  return false;
}

void tell(const json& found) {
  const auto removed = std::ranges::count_if(found, [](const json& row) { return row["removed"].get<bool>(); });
  std::printf("%zu left by %zu killed: %td removed, the rest cannot be judged\n", found.size(), kills_wanted(),
              removed);
}

// Again for as long as a socket file is too new to be judged.
json clean_until_settled(const Playground& playground) {
  const Deadline patience = after(kit::patient(60s));
  json found = clean(playground);
  tell(found);
  while (std::ranges::any_of(found, is_provable) && !patience.passed()) {
    found = clean(playground);
  }
  return found;
}

void expect_only_the_living(const Playground& playground) {
  std::vector<std::string> names = kit::names_in(playground.domain->path());
  std::erase_if(names, [](const std::string& name) { return name.starts_with("queue."); });  // stay until removed
  EXPECT_THAT(names, testing::ElementsAre(StartsWith("life."), "service.service0", "topic.topic0"));
  EXPECT_THAT(kit::names_in(playground.domain->path() + "/topic.topic0"),
              testing::UnorderedElementsAre("bell", StartsWith("pub.")));
  EXPECT_THAT(kit::names_in(playground.domain->path() + "/service.service0"),
              testing::ElementsAre(StartsWith("server.")));
  EXPECT_THAT(kit::names_in(playground.directory), testing::ElementsAre("living"));
  EXPECT_EQ(procfs::count_lines("/proc/sysvipc/shm").or_throw(), 2U) << "the heading, and this process's";
}

// F8, F9
TEST(ToolsGcKills, what_the_killed_leave_goes_and_what_the_living_hold_stays) {
  const auto body = [] {
    kit::UniqueDomain domain;
    kit::UniqueDirectory sockets;
    const Playground playground{.domain = std::make_shared<const Domain>(Domain::open(domain.path()).or_throw()),
                                .directory = sockets.path()};
    {
      Living living(playground);
      kill_many(playground, kills_wanted());
      for (const json& row : clean_until_settled(playground)) {
        EXPECT_FALSE(is_provable(row) && !row["removed"]) << row;
        EXPECT_TRUE(row["removed"] || row["verdict"] == "unjudged") << row;
      }
      living.expect_whole();
      expect_only_the_living(playground);
    }
    domain.directory().allow_leftovers();  // queues
  };
  kit::in_private_namespaces(body, kit::Namespaces::objects_and_pids, 600s);
}

}  // namespace
}  // namespace tools
