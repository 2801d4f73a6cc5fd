#pragma once
/// What the tests of transfers share: a directory and a domain of their own, and files in them.
#include "command.hpp"

#include <tenon/os/clock.hpp>

#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace transfer {

namespace fs = std::filesystem;

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(file ? fs::file_size(path) : 0, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

// Looks again every millisecond; the test's watchdog bounds it.
template <class Condition>
void eventually(Condition condition) {
  while (!condition()) {
    [[maybe_unused]] const auto slept = tenon::sleep_until(tenon::after(std::chrono::milliseconds(1)));
  }
}

class Transfer : public testing::Test {
 protected:
  std::string write_file(const std::string& bytes) {
    const std::string path = directory_ / "file";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::string fifo() { return "fifo:" + (directory_ / "fifo"); }
  std::string output() { return directory_ / "output"; }
  std::string partial() { return output() + ".partial"; }
  // What must be left when all is over: nothing but these files. The domain checks itself.
  void expect_only(std::vector<std::string> names) {
    std::ranges::sort(names);
    EXPECT_EQ(kit::names_in(directory_.path()), names);
    for (const std::string& name : names) {
      fs::remove(directory_ / name);
    }
  }
  // Sends `begun` bytes and keeps the message open; returns when the receiver has begun to write.
  void begin(Command& send, std::size_t begun) {
    send.input().write(tenon::bytes_of(std::string(begun, 'x')), tenon::never).or_throw();
    eventually([&] { return fs::exists(partial()) && fs::file_size(partial()) >= begun / 2; });
  }

  const kit::Watchdog watchdog_{"a transfer", std::chrono::seconds(100)};
  kit::UniqueDomain domain_;
  kit::UniqueDirectory directory_;
};

}  // namespace transfer
