#include "fixture.hpp"

#include <tenon/os/fd.hpp>
#include <tenon/os/unix_address.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/unique.hpp>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <mqueue.h>
#include <pty.h>
#include <semaphore.h>
#include <sstream>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tools {
namespace {

using namespace tenon;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// One object of each kind, taken away at the end. To be made in private namespaces.
class OneOfEach {
 public:
  explicit OneOfEach(const kit::UniqueDirectory& directory)
      : fifo_(directory / "fifo"),
        socket_(directory / "socket"),
        queue_(fd_from(::mq_open("/jobs", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, nullptr), "mq_open").or_throw()),
        memory_(fd_from(::shm_open("/frames", O_CREAT | O_EXCL | O_RDWR, 0600), "shm_open").or_throw()),
        memfd_(fd_from(::memfd_create("label", MFD_CLOEXEC), "memfd_create").or_throw()),
        listener_(fd_from(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket").or_throw()),
        message_queue_(::msgget(0x162e, IPC_CREAT | IPC_EXCL | 0600)),
        segment_(::shmget(0x4d2, 4096, IPC_CREAT | IPC_EXCL | 0600)),
        set_(::semget(0x270f, 2, IPC_CREAT | IPC_EXCL | 0600)) {
    EXPECT_EQ(::mkfifo(fifo_.c_str(), 0600), 0);
    ::sem_close(::sem_open("/turn", O_CREAT | O_EXCL, 0600, 1));
    const auto address = UnixAddress::path(socket_).or_throw();
    EXPECT_EQ(::bind(listener_.raw(), address.raw(), address.length()), 0);
    EXPECT_EQ(::listen(listener_.raw(), 1), 0);
  }
  ~OneOfEach() {
    ::unlink(fifo_.c_str());
    ::unlink(socket_.c_str());
    ::mq_unlink("/jobs");
    ::shm_unlink("/frames");
    ::sem_unlink("/turn");
    ::msgctl(message_queue_, IPC_RMID, nullptr);
    ::shmctl(segment_, IPC_RMID, nullptr);
    ::semctl(set_, 0, IPC_RMID);
  }
  OneOfEach(const OneOfEach&) = delete;
  OneOfEach& operator=(const OneOfEach&) = delete;

 private:
  std::string fifo_;
  std::string socket_;
  Fd queue_;
  Fd memory_;
  Fd memfd_;
  Fd listener_;
  int message_queue_;
  int segment_;
  int set_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

TEST(ToolsLs, lists_one_of_each_kind_as_the_schema_says) {
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    const OneOfEach all(directory);
    const Finished finished = run({"ls", "--json", "--in", directory.path()});
    EXPECT_TRUE(finished.status.success());
    const json value = parsed(finished);
    expect_schema(value, schema("ls"));
    for (const auto& [kind, name] :
         std::vector<std::pair<std::string, std::string>>{{"posix_queue", "/jobs"},
                                                          {"sysv_queue", "0x0000162e"},
                                                          {"posix_memory", "/frames"},
                                                          {"sysv_memory", "0x000004d2"},
                                                          {"memfd", "label"},
                                                          {"posix_semaphore", "/turn"},
                                                          {"sysv_semaphore", "0x0000270f"},
                                                          {"fifo", directory / "fifo"},
                                                          {"unix_socket", directory / "socket"}}) {
      EXPECT_TRUE(std::ranges::any_of(value["objects"],
                                      [&](const json& one) { return one["kind"] == kind && one["name"] == name; }))
          << kind << " " << name;
    }
  });
}

TEST(ToolsLs, a_line_says_kind_name_owner_mode_content_and_holder) {
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    const OneOfEach all(directory);
    const std::string text = run({"ls", "--mechanism", "posix_queue"}).output;
    const auto lines = lines_of(text);
    ASSERT_EQ(lines.size(), 2U) << text;
    EXPECT_THAT(lines[0], testing::MatchesRegex("KIND +NAME +OWNER +MODE +AGE +CONTENT +HELD BY"));
    EXPECT_THAT(lines[1], testing::MatchesRegex("posix_queue +/jobs +[^ ]+ +0600 +[^ ]+ +0 messages +.*"));
    EXPECT_THAT(lines[1], HasSubstr(std::to_string(::getpid()) + " ("));
  });
}

TEST(ToolsLs, one_is_counted_as_one) {
  kit::in_private_namespaces([] {
    const int set = ::semget(0x270f, 1, IPC_CREAT | IPC_EXCL | 0600);
    EXPECT_THAT(run({"ls", "--mechanism", "sysv_semaphore"}).output, HasSubstr(" 1 semaphore, "));
    ::semctl(set, 0, IPC_RMID);
  });
}

// F3
TEST(ToolsLs, names_that_would_upset_a_terminal_are_escaped) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "a\n\x1b[31m\xff";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const Finished text = run({"ls", "--mechanism", "fifo", "--in", directory.path()});
  EXPECT_THAT(text.output, HasSubstr("a\\n\\x1b[31m\\xff"));
  EXPECT_THAT(text.output, Not(HasSubstr("\x1b")));
  const json value = parsed(run({"ls", "--json", "--mechanism", "fifo", "--in", directory.path()}));
  EXPECT_TRUE(std::ranges::any_of(value["objects"], [&](const json& one) {
    return one["name"] == directory.path() + "/a\\n\\x1b[31m\\xff";
  })) << value;
  ::unlink(path.c_str());
}

TEST(ToolsLs, what_could_not_be_seen_is_said_apart_from_what_was) {
  kit::in_private_namespaces([] {
    if (!kit::unmount_queues()) {
      GTEST_SKIP() << "a mount of the file system cannot be taken off";
    }
    const Finished finished = run({"ls", "--mechanism", "posix_queue"});
    EXPECT_TRUE(finished.status.success());
    EXPECT_THAT(finished.errors, HasSubstr("not seen: "));
    EXPECT_THAT(finished.errors, HasSubstr("mount -t mqueue"));
    EXPECT_EQ(lines_of(finished.output).size(), 1U) << "the heading alone";
  });
}

TEST(ToolsLs, on_a_terminal_every_line_fits_however_long_the_names) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / std::string(200, 'x');
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  for (const auto width : std::array<unsigned short, 3>{60, 100, 400}) {
    int master = -1;
    int slave = -1;
    const winsize size{.ws_row = 24, .ws_col = width, .ws_xpixel = 0, .ws_ypixel = 0};
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, &size), 0) << std::strerror(errno);
    const Fd screen = Fd::adopt(master);
    Command ls({"ls", "--mechanism", "fifo", "--in", directory.path()}, {}, Fd::adopt(slave));
    std::string text;
    std::array<char, 4096> part;
    for (ssize_t got = 0; (got = ::read(screen.raw(), part.data(), part.size())) > 0;) {
      text.append(part.data(), static_cast<std::size_t>(got));
    }
    EXPECT_TRUE(ls.finish().status.success());
    EXPECT_THAT(text, HasSubstr("xxx  "));
    for (const std::string& line : lines_of(text)) {
      const auto columns = std::ranges::count_if(line, [](char byte) { return (byte & '\xc0') != '\x80'; });
      EXPECT_LE(columns, width + 1) << line;  // the terminal's \r
    }
  }
  ::unlink(path.c_str());
}

TEST(ToolsLs, called_wrongly_ends_with_2_and_says_what_there_is) {
  const Finished kind = run({"ls", "--mechanism", "posix-queue"});
  EXPECT_EQ(kind.status, ExitStatus::exited(2));
  EXPECT_THAT(kind.errors, HasSubstr("posix_queue, sysv_queue"));
  EXPECT_EQ(run({"ls", "--in", "/no/such/directory"}).status, ExitStatus::exited(2));
}

}  // namespace
}  // namespace tools
