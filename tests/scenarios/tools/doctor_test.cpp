#include "fixture.hpp"

#include <kit/private_namespaces.hpp>
#include <cstring>
#include <sys/mount.h>

namespace tools {
namespace {

using namespace tenon;
using testing::HasSubstr;

bool has_problem(const json& settings) {
  return std::ranges::any_of(settings, [](const json& one) { return one["verdict"] == "problem"; });
}

TEST(ToolsDoctor, tells_every_setting_as_the_schema_says_and_ends_with_1_if_one_is_a_problem) {
  const Finished finished = run({"doctor", "--json"});
  const json settings = parsed(finished);
  expect_schema(settings, schema("doctor"));
  EXPECT_EQ(finished.status, ExitStatus::exited(has_problem(settings) ? 1 : 0));
}

TEST(ToolsDoctor, a_problem_is_named_with_its_value_and_its_remedy) {
  const Finished finished = Command::by_shell("ulimit -n 60; exec \"$@\"", {"doctor"}).finish();
  EXPECT_EQ(finished.status, ExitStatus::exited(1));
  EXPECT_THAT(finished.output, HasSubstr("problem  RLIMIT_NOFILE = 60 descriptors"));
  EXPECT_THAT(finished.output, HasSubstr("ulimit -n N"));
}

TEST(ToolsDoctor, a_full_shared_memory_is_a_problem) {
  kit::in_private_namespaces([] {
    ASSERT_EQ(::mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=64k"), 0) << std::strerror(errno);
    const Finished finished = run({"doctor"});
    EXPECT_EQ(finished.status, ExitStatus::exited(1));
    EXPECT_THAT(finished.output, HasSubstr("problem  /dev/shm = 0 MiB free of 0"));
    EXPECT_THAT(finished.output, HasSubstr("--shm-size"));
    ::umount("/dev/shm");
  });
}

}  // namespace
}  // namespace tools
