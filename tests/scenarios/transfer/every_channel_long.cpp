// 256 MiB, and a million messages of 100 bytes, over every channel: `./dev channels`. It prints what arrived, by its
// checksum, and how long that took.
#include "every_channel.hpp"

#include <scenarios/transfer/command.hpp>

#include <array>
#include <cstdio>

namespace transfer {
namespace {

using namespace tenon;

class EveryChannelLong : public EveryChannel {
 protected:
  static std::string sha256(const std::string& path) {
    const Finished sum = Command::by_shell("sha256sum <" + path, {}).finish(std::chrono::seconds(60));
    return sum.output.substr(0, 64);
  }

  void expect_same_checksum(const std::string& what, const std::vector<std::string>& options) {
    const std::string wanted = sha256(directory_ / "file");
    const std::int64_t begun = monotonic_now();
    std::vector<std::string> sending = options;
    sending.push_back(directory_ / "file");
    std::vector<std::string> receiving = options;
    receiving.insert(receiving.end(), {"-o", output()});
    auto recv = start_recv(receiving);
    until_entered(1);
    auto send = start_send(sending);
    for (const auto& side : {&*send, &*recv}) {
      const Finished ended = side->finish(std::chrono::seconds(300));
      EXPECT_EQ(ended.errors, "");
      EXPECT_TRUE(ended.status.success());
    }
    const double seconds = static_cast<double>(monotonic_now() - begun) / 1e9;
    const std::string got = sha256(output());
    EXPECT_EQ(got, wanted);
    std::printf("%-10s %-28s %7.2f s  %s %s\n", GetParam().scheme.c_str(), what.c_str(), seconds, got.c_str(),
                got == wanted ? "equal" : "DIFFERENT");
    std::fflush(stdout);
    expect_only({"file", "output"});
  }
};

INSTANTIATE_TEST_SUITE_P(All, EveryChannelLong, testing::ValuesIn(channel_rows()), name_of);

TEST_P(EveryChannelLong, carries_256_mebibytes) {
  write_file(random_bytes(std::size_t{256} << 20));
  expect_same_checksum("256 MiB", {});
}

TEST_P(EveryChannelLong, carries_a_million_messages_of_100_bytes) {
  constexpr int messages = 1'000'000;
  constexpr std::size_t length = 100;
  std::string text;
  text.reserve(messages * (length + 1));
  for (int i = 0; i < messages; ++i) {
    std::string line = std::to_string(i) + " ";
    while (line.size() < length) {
      line += static_cast<char>('a' + (line.size() * 7 + static_cast<std::size_t>(i)) % 26);
    }
    text += line + "\n";
  }
  write_file(text);
  expect_same_checksum("1,000,000 x 100 B", {"--lines"});
}

}  // namespace
}  // namespace transfer
