#include "fixture.hpp"
#include "gc_members.hpp"

#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/os/fd.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/unique.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <mqueue.h>
#include <span>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tools {
namespace {

using namespace tenon;
using testing::ContainsRegex;
using testing::HasSubstr;

struct Letter {
  long type;
  char text[16];
};

// Whether this kernel lets messages be copied. msgop(2)
bool can_peek(int queue) {
  Letter letter{};
  return ::msgrcv(queue, &letter, sizeof letter.text, 0, MSG_COPY | IPC_NOWAIT) != -1 || errno != ENOSYS;
}

TEST(ToolsShow, a_system_v_queue_with_its_messages_which_stay_there) {
  kit::in_private_namespaces([] {
    const int id = ::msgget(IPC_PRIVATE, 0600);
    const Letter one{.type = 1, .text = "first"};
    const Letter other{.type = 3,
                       .text =
                           "se\x1b"
                           "cond"};
    ASSERT_EQ(::msgsnd(id, &one, 5, 0), 0);
    ASSERT_EQ(::msgsnd(id, &other, 7, 0), 0);
    const Finished shown = run({"show", "sysv_queue:#" + std::to_string(id)});
    EXPECT_TRUE(shown.status.success()) << shown.errors;
    EXPECT_THAT(shown.output, ContainsRegex("messages +2"));
    EXPECT_THAT(shown.output, HasSubstr("kernel.msgmnb"));
    EXPECT_THAT(shown.output, ContainsRegex("last sent +" + std::to_string(::getpid())));
    if (can_peek(id)) {
      EXPECT_THAT(shown.output, HasSubstr("type 1: first"));
      EXPECT_THAT(shown.output, HasSubstr("type 3: se\\x1bcond"));
    } else {
      EXPECT_THAT(shown.output, HasSubstr("CONFIG_CHECKPOINT_RESTORE"));
    }
    msqid_ds status{};
    EXPECT_EQ(::msgctl(id, IPC_STAT, &status), 0);
    EXPECT_EQ(status.msg_qnum, 2U);
    EXPECT_EQ(status.msg_lrpid, 0) << "nobody has received";
    ::msgctl(id, IPC_RMID, nullptr);
  });
}

TEST(ToolsShow, a_name_that_only_one_has_needs_no_kind_and_one_that_several_have_does) {
  kit::in_private_namespaces([] {
    ::mq_close(::mq_open("/jobs", O_CREAT | O_RDWR, 0600, nullptr));
    const Finished shown = run({"show", "jobs"});
    EXPECT_THAT(shown.output, HasSubstr("posix_queue:/jobs\n"));
    EXPECT_THAT(shown.output, HasSubstr("without taking it"));
    ::close(::shm_open("/jobs", O_CREAT | O_RDWR, 0600));
    const Finished several = run({"show", "jobs"});
    EXPECT_EQ(several.status, ExitStatus::exited(2));
    EXPECT_THAT(several.errors, HasSubstr("posix_queue:/jobs, posix_memory:/jobs"));
    ::mq_unlink("/jobs");
    ::shm_unlink("/jobs");
    EXPECT_THAT(run({"show", "jobs"}).errors, HasSubstr("not found"));
  });
}

TEST(ToolsShow, a_fifo_with_who_has_it_open_how_and_how_full_it_is) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const Fd both = fd_from(::open(path.c_str(), O_RDWR | O_CLOEXEC), "open").or_throw();
  ASSERT_EQ(::write(both.raw(), "0123456789", 10), 10);
  const json shown = parsed(run({"show", "--json", "fifo:" + path}));
  expect_schema(shown, schema("show"));
  EXPECT_EQ(shown["object"]["name"], path);
  if (shown["unread"].is_null()) {
    EXPECT_THAT(shown["unseen"].dump(), HasSubstr("how full it is")) << "and why not";
  } else {
    EXPECT_EQ(shown["unread"], 10);
    EXPECT_EQ(shown["capacity"], ::fcntl(both.raw(), F_GETPIPE_SZ));
  }
  EXPECT_THAT(run({"show", path}).output, HasSubstr("fd " + std::to_string(both.raw()) + " reads and writes"));
  ::unlink(path.c_str());
}

TEST(ToolsShow, a_queue_of_tenons_own_with_what_waits_in_it) {
  kit::UniqueDomain domain;
  {
    const Life life = Life::join(domain.domain()).or_throw();
    const Holder holder = Holder::of(domain.domain(), life).or_throw();
    auto queue = Queue<Word>::create(holder, "jobs").or_throw();
    queue.try_send({.number = 0x4142}).or_throw();
    const Finished shown = run({"show", "queue:jobs", "--domain", domain.path()});
    EXPECT_TRUE(shown.status.success()) << shown.errors;
    EXPECT_THAT(shown.output, ContainsRegex("8 bytes +priority 0, waits [0-9.]+ s: BA"));
    EXPECT_EQ(queue.receive(immediately).or_throw().value.number, 0x4142U) << "it is still there";
    Queue<Word>::remove(domain.domain(), "jobs").or_throw();
  }
}

TEST(ToolsShow, a_topic_with_what_was_published_last_short_or_long) {
  kit::UniqueDomain domain;
  const Life life = Life::join(domain.domain()).or_throw();
  const Holder holder = Holder::of(domain.domain(), life).or_throw();
  auto words = Publisher<Word>::create(holder, "pose").or_throw();
  auto texts = Publisher<Bytes>::create(holder, "texts").or_throw();
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(words.try_publish({.number = 0x4140 + i}));
  }
  const std::string text(4000, 'x');
  ASSERT_TRUE(texts.try_publish(std::as_bytes(std::span(text))));
  const std::string who = "of publisher " + std::to_string(::getpid()) + ": ";
  const Finished shown = run({"show", "topic:pose", "--domain", domain.path(), "--messages", "2"});
  EXPECT_TRUE(shown.status.success()) << shown.errors;
  EXPECT_THAT(shown.output, ContainsRegex("8 bytes +number 1 " + who + "AA[^B]*\n +8 bytes +number 2 " + who + "BA"));
  EXPECT_THAT(shown.output, testing::Not(HasSubstr("number 0 ")));
  EXPECT_THAT(run({"show", "topic:texts", "--domain", domain.path()}).output,
              ContainsRegex("4000 bytes +number 0 " + who + std::string(64, 'x') + "\n"));
}

TEST(ToolsShow, a_process_with_all_that_it_has) {
  kit::in_private_namespaces([] {
    const Fd queue = fd_from(::mq_open("/jobs", O_CREAT | O_RDWR | O_CLOEXEC, 0600, nullptr), "mq_open").or_throw();
    const auto pipe = Pipe::pair().or_throw();
    const Finished shown = run({"show", std::to_string(::getpid())});
    EXPECT_TRUE(shown.status.success()) << shown.errors;
    EXPECT_THAT(shown.output, ContainsRegex("posix_queue:/jobs +holds fd " + std::to_string(queue.raw())));
    EXPECT_THAT(shown.output, HasSubstr("pipe:pipe:["));
    ::mq_unlink("/jobs");
    EXPECT_THAT(run({"show", "999999999"}).errors, HasSubstr("no such process"));
  });
}

}  // namespace
}  // namespace tools
