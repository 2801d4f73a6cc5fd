/// The whole tour, where nothing else happens: every program of the documents passes, and not one object more is there
/// afterwards.
#include <scenarios/transfer/command.hpp>

#include <kit/leak_check.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/unique.hpp>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/mount.h>
#include <utility>
#include <vector>

namespace {

using namespace tenon;
using nlohmann::json;
using transfer::Command;
using transfer::Finished;

constexpr auto most = std::chrono::seconds(100);

// What the documents' programs are called.
const std::vector<std::string> names = {"ipc-pipe",
                                        "pipe-hello",
                                        "pipe-full",
                                        "ipc-fifo",
                                        "fifo_writer",
                                        "fifo-hello",
                                        "fifo-duplex",
                                        "fifo-nonblock",
                                        "ipc-posix-shm",
                                        "shm-persists",
                                        "shm-mutex",
                                        "ipc-sysv-shm",
                                        "sysv-shm-writer",
                                        "process-isolation",
                                        "race",
                                        "leak",
                                        "ipc-posix-mqueue",
                                        "mqueue_sender",
                                        "mqueue-attributes",
                                        "mqueue-nonblock",
                                        "mqueue-priority",
                                        "mqueue-workers",
                                        "mqueue-request",
                                        "sysv-queue",
                                        "ipc-posix-semaphore",
                                        "semaphore-exclusion",
                                        "semaphore-counting",
                                        "semaphore-unnamed",
                                        "sysv-semaphore",
                                        "sysv-producer-consumer",
                                        "deadlock",
                                        "ipc-unix-socket",
                                        "uds-server",
                                        "unix-datagram",
                                        "pass-descriptor",
                                        "error-handling",
                                        "sysv-commands"};

// Binaries that have another name than the entry that runs them.
const std::vector<std::pair<std::string, std::string>> other_names = {{"pipe_example", "ipc-pipe"},
                                                                      {"fifo_reader", "fifo_writer"},
                                                                      {"mqueue_receiver", "mqueue_sender"},
                                                                      {"sysv-shm-reader", "sysv-shm-writer"}};

TEST(TourEverything, passes_and_leaves_not_one_object_more) {
  const auto body = [] {
    ASSERT_EQ(::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), 0) << std::strerror(errno);
    const kit::LeakCheck check(kit::Scope::machine);
    const Finished finished = Command({"tour", "--json"}).finish(most);
    EXPECT_TRUE(finished.status.success()) << finished.errors;
    const json rows = json::parse(finished.output, nullptr, false);
    ASSERT_TRUE(rows.is_array()) << finished.output;
    std::vector<std::string> ran;
    for (const json& row : rows) {
      ran.push_back(row["name"]);
      EXPECT_TRUE(row["passed"].get<bool>()) << row;
    }
    EXPECT_THAT(ran, testing::IsSupersetOf(names));
    EXPECT_THAT(kit::names_in("/tmp"), testing::IsEmpty());
  };
  kit::in_private_namespaces(body, kit::Namespaces::objects, most);
}

TEST(TourEverything, the_documents_binaries_are_known_by_their_own_names_too) {
  for (const auto& [binary, entry] : other_names) {
    const json rows = json::parse(Command({"tour", binary, "--json"}).finish().output, nullptr, false);
    ASSERT_EQ(rows.size(), 1U) << binary;
    EXPECT_EQ(rows[0]["name"], entry) << binary;
  }
}

}  // namespace
