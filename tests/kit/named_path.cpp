#include <kit/named_path.hpp>

#include <kit/unique.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace kit {

NamedPath::NamedPath(std::string whole) : path(std::move(whole)) {}

NamedPath::~NamedPath() { ::unlink(path.c_str()); }

bool NamedPath::exists() const {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

SharedName::SharedName(std::string_view prefix) : SharedName(prefix, unique_name()) {}

SharedName::SharedName(std::string_view prefix, std::string unique)
    : NamedPath("/dev/shm/" + std::string(prefix) + unique), name("/" + std::move(unique)) {}

mode_t mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

}  // namespace kit
