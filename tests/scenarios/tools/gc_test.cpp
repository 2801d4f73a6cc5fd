#include "fixture.hpp"

#include <tenon/os/fd.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unix_address.hpp>

#include <kit/asleep.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/unique.hpp>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <optional>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tools {
namespace {

using namespace tenon;
using testing::HasSubstr;

// Done by a process that is dead and reaped when this returns.
void by_the_dead(const std::function<void()>& deed) {
  Child child = spawn([&] {
                  deed();
                  ::raise(SIGKILL);
                  return 0;
                }).or_throw();
  EXPECT_EQ(child.wait(never).or_throw(), ExitStatus::killed(SIGKILL));
}

Finished gc(std::vector<std::string> options) {
  options.insert(options.begin(), {"gc", "--domain", "/dev/shm/no-domain"});
  return run(options);
}

// What is said of the object with that name, null if nothing is.
json said_of(const std::string& kind, const std::string& name, std::vector<std::string> options = {}) {
  options.insert(options.end(), {"--json", "--mechanism", kind});
  const json all = parsed(gc(options));
  for (const json& row : all["found"]) {
    if (row["name"] == name) {
      return row;
    }
  }
  return nullptr;
}

std::string numbered(int id) { return "#" + std::to_string(id); }

bool is_memory(int id) {
  shmid_ds status{};
  return ::shmctl(id, IPC_STAT, &status) == 0;
}

int memory_of_the_dead() {
  const auto key = kit::unique_key();
  by_the_dead([&] { ::shmget(key.value(), 4096, IPC_CREAT | IPC_EXCL | 0600); });
  return ::shmget(key.value(), 0, 0);
}

TEST(ToolsGc, without_apply_it_tells_and_touches_nothing) {
  kit::in_private_namespaces([] {
    const int id = memory_of_the_dead();
    const Finished told = gc({"--mechanism", "sysv_memory"});
    EXPECT_TRUE(told.status.success());
    EXPECT_THAT(told.output, testing::ContainsRegex(numbered(id) + " +left over"));
    EXPECT_THAT(told.output, HasSubstr("1 left over; --apply removes"));
    EXPECT_TRUE(is_memory(id));
    ::shmctl(id, IPC_RMID, nullptr);
  });
}

TEST(ToolsGc, memory_whose_maker_is_dead_goes_and_the_proof_names_it) {
  kit::in_private_namespaces([] {
    const int id = memory_of_the_dead();
    const Finished applied = gc({"--mechanism", "sysv_memory", "--apply"});
    EXPECT_TRUE(applied.status.success()) << applied.errors;
    EXPECT_THAT(applied.output, HasSubstr("nobody has it attached; process "));
    EXPECT_THAT(applied.output, HasSubstr("1 removed"));
    EXPECT_FALSE(is_memory(id));
    EXPECT_THAT(gc({"--mechanism", "sysv_memory", "--apply"}).output, HasSubstr("0 removed"));
  });
}

TEST(ToolsGc, memory_that_the_living_made_or_have_attached_stays) {
  kit::in_private_namespaces([] {
    const int own = ::shmget(IPC_PRIVATE, 4096, 0600);
    const int attached = memory_of_the_dead();
    void* const memory = ::shmat(attached, nullptr, 0);
    const int marked = memory_of_the_dead();
    void* const marked_memory = ::shmat(marked, nullptr, 0);
    ::shmctl(marked, IPC_RMID, nullptr);
    EXPECT_THAT(gc({"--mechanism", "sysv_memory", "--apply"}).output, HasSubstr("0 removed"));
    EXPECT_TRUE(is_memory(own));
    EXPECT_TRUE(is_memory(attached));
    ::shmdt(memory);
    ::shmdt(marked_memory);
    EXPECT_FALSE(is_memory(marked)) << "the kernel's own affair";
    // Who attached it last lives: it may come back to it.
    EXPECT_THAT(gc({"--mechanism", "sysv_memory", "--apply"}).output, HasSubstr("0 removed"));
    ::shmctl(own, IPC_RMID, nullptr);
    ::shmctl(attached, IPC_RMID, nullptr);
  });
}

// A queue through which the dead have sent and received a message.
int queue_of_the_dead(bool leaves_one_unread) {
  const int id = ::msgget(IPC_PRIVATE, 0600);
  by_the_dead([&] {
    struct {
      long type = 1;
      char text = 'x';
    } message;
    for (int i = 0; i < (leaves_one_unread ? 2 : 1); ++i) {
      ::msgsnd(id, &message, 1, 0);
    }
    ::msgrcv(id, &message, 1, 0, 0);
  });
  return id;
}

TEST(ToolsGc, a_queue_and_a_set_whose_last_users_are_dead_are_likely_and_stay_without_that_option) {
  // Who waits at a queue can be told only where every process may be looked at.
  const auto body = [] {
    const int queue = queue_of_the_dead(false);
    const int set = ::semget(IPC_PRIVATE, 1, 0600);
    by_the_dead([&] {
      sembuf rise{.sem_num = 0, .sem_op = 1, .sem_flg = 0};
      ::semop(set, &rise, 1);
    });
    EXPECT_EQ(said_of("sysv_queue", numbered(queue))["verdict"], "likely");
    EXPECT_EQ(said_of("sysv_semaphore", numbered(set))["verdict"], "likely");
    EXPECT_THAT(gc({"--apply"}).output, HasSubstr("0 removed; 2 likely"));
    EXPECT_THAT(gc({"--apply", "--likely"}).output, HasSubstr("2 removed"));
    EXPECT_EQ(::msgctl(queue, IPC_STAT, nullptr), -1);
    EXPECT_EQ(::semctl(set, 0, GETVAL), -1);
  };
  kit::in_private_namespaces(body, kit::Namespaces::objects_and_pids);
}

void post(int set, unsigned short number) {
  sembuf up{.sem_num = number, .sem_op = 1, .sem_flg = 0};
  EXPECT_EQ(::semop(set, &up, 1), 0);
}

// Runs `body` in a PID namespace of its own, which has a /proc of its own. False where none can be had.
bool among_other_pids(const std::function<void()>& body) {
  constexpr int none = 77;
  Child outer = spawn([&] {
                  if (::unshare(CLONE_NEWPID | CLONE_NEWNS) == -1) {
                    return none;
                  }
                  return spawn([&] {
                           if (::mount("proc", "/proc", "proc", 0, nullptr) == -1) {
                             return none;
                           }
                           body();
                           return testing::Test::HasFailure() ? 1 : 0;
                         })
                      .or_throw()
                      .wait(never)
                      .or_throw()
                      .code();
                }).or_throw();
  const int code = outer.wait(never).or_throw().code();
  EXPECT_TRUE(code == 0 || code == none) << code;
  return code == 0;
}

// The kernel tells of a user without an id in this namespace as of nobody.
TEST(ToolsGc, a_set_that_another_pid_namespace_may_use_too_is_not_judged) {
  kit::in_private_namespaces([] {
    const int set = ::semget(IPC_PRIVATE, 2, 0600);
    post(set, 1);  // by one who lives
    const bool looked = among_other_pids([&] {
      by_the_dead([&] { post(set, 0); });
      const json said = said_of("sysv_semaphore", numbered(set));
      EXPECT_EQ(said["verdict"], "unjudged") << said;
      EXPECT_THAT(said["proof"].get<std::string>(), HasSubstr("semaphore 1 of it"));
    });
    ::semctl(set, 0, IPC_RMID);
    if (!looked) {
      GTEST_SKIP() << "needs a PID namespace of its own";
    }
  });
}

TEST(ToolsGc, a_queue_with_unread_messages_is_not_judged) {
  kit::in_private_namespaces([] {
    const int id = queue_of_the_dead(true);
    const json row = said_of("sysv_queue", numbered(id), {"--apply", "--likely"});
    EXPECT_EQ(row["verdict"], "unjudged");
    EXPECT_FALSE(row["removed"]);
    EXPECT_EQ(::msgctl(id, IPC_RMID, nullptr), 0);
  });
}

TEST(ToolsGc, a_queue_at_which_somebody_sleeps_stays) {
  kit::in_private_namespaces([] {
    const int id = queue_of_the_dead(false);
    Child sleeper = spawn([&] {
                      char text[16];
                      ::msgrcv(id, text, 1, 0, 0);
                      return 0;
                    }).or_throw();
    kit::until_asleep(sleeper.pid());
    EXPECT_TRUE(said_of("sysv_queue", numbered(id), {"--apply", "--likely"}).is_null());
    EXPECT_EQ(::msgctl(id, IPC_RMID, nullptr), 0);
    sleeper.wait(never).or_throw();
  });
}

TEST(ToolsGc, what_posix_names_remember_of_nobody_is_not_judged) {
  kit::in_private_namespaces([] {
    by_the_dead([] {
      ::close(::shm_open("/frames", O_CREAT | O_RDWR, 0600));
      ::sem_close(::sem_open("/turn", O_CREAT, 0600, 1));
    });
    // Not of FIFOs and sockets: the machine's other users have theirs in /tmp, which is not ours alone.
    const std::vector<std::string> named = {"--mechanism", "posix_memory", "--mechanism", "posix_semaphore"};
    const auto with = [&](std::vector<std::string> options) {
      options.insert(options.end(), named.begin(), named.end());
      return gc(std::move(options));
    };
    const Finished applied = with({"--apply", "--likely"});
    EXPECT_THAT(applied.output, HasSubstr("0 removed; 2 cannot be judged: --all tells why"));
    EXPECT_THAT(with({"--all"}).output, HasSubstr("nobody is seen to hold it; its maker is unknown"));
    EXPECT_EQ(::shm_unlink("/frames"), 0);
    EXPECT_EQ(::sem_unlink("/turn"), 0);
  });
}

// The file of a socket that is bound no more, as if it had been so for an hour.
std::optional<Fd> socket_file(const std::string& path, bool stays_bound) {
  const auto address = UnixAddress::path(path).or_throw();
  Fd socket = fd_from(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket").or_throw();
  EXPECT_EQ(::bind(socket.raw(), address.raw(), address.length()), 0);
  return stays_bound ? std::optional(std::move(socket)) : std::nullopt;
}

// One that has just been made is told as such; asked until it is old enough.
json settled(const std::string& directory, const std::string& path) {
  const Deadline patience = after(kit::patient(kit::default_limit));
  json row;
  do {
    row = said_of("unix_socket", path, {"--in", directory});
  } while (!row.is_null() && row["verdict"] == "unjudged" && !patience.passed());
  return row;
}

// F75
TEST(ToolsGc, the_file_of_a_dead_socket_goes_and_that_of_a_living_one_and_a_link_to_it_stay) {
  const kit::UniqueDirectory directory;
  const std::string dead = directory / "dead";
  const std::string living = directory / "living";
  const std::string link = directory / "link";
  socket_file(dead, false);
  const auto kept = socket_file(living, true);
  ASSERT_EQ(::symlink(dead.c_str(), link.c_str()), 0);
  EXPECT_EQ(settled(directory.path(), dead)["verdict"], "left_over");
  const json applied = said_of("unix_socket", dead, {"--in", directory.path(), "--apply"});
  EXPECT_TRUE(applied["removed"]) << applied;
  EXPECT_THAT(kit::names_in(directory.path()), testing::ElementsAre("link", "living"));
  ::unlink(living.c_str());
  ::unlink(link.c_str());
}

// F9
TEST(ToolsGc, of_two_who_clean_at_once_neither_fails) {
  kit::in_private_namespaces([] {
    constexpr int segments = 50;
    for (int i = 0; i < segments; ++i) {
      memory_of_the_dead();
    }
    const std::vector<std::string> arguments = {"gc",          "--domain",    "/dev/shm/no-domain",
                                                "--mechanism", "sysv_memory", "--apply"};
    Command one(arguments);
    Command other(arguments);
    const Finished first = one.finish();
    const Finished second = other.finish();
    EXPECT_TRUE(first.status.success()) << first.errors;
    EXPECT_TRUE(second.status.success()) << second.errors;
    EXPECT_THAT(gc({"--mechanism", "sysv_memory"}).output, HasSubstr("0 left over"));
  });
}

TEST(ToolsGc, its_json_is_as_the_schema_says) {
  kit::in_private_namespaces([] {
    const int id = memory_of_the_dead();
    const json value = parsed(gc({"--json", "--mechanism", "sysv_memory"}));
    expect_schema(value, schema("gc"));
    EXPECT_EQ(value["found"].size(), 1U);
    ::shmctl(id, IPC_RMID, nullptr);
  });
}

TEST(ToolsGc, a_kind_that_there_is_not_ends_with_2_and_says_which_there_are) {
  const Finished finished = gc({"--mechanism", "segment"});
  EXPECT_EQ(finished.status, ExitStatus::exited(2));
  EXPECT_THAT(finished.errors, HasSubstr("sysv_memory"));
  EXPECT_THAT(finished.errors, HasSubstr("stream"));
}

}  // namespace
}  // namespace tools
