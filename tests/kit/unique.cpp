#include <kit/unique.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/token.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kit {

namespace fs = std::filesystem;

std::string unique_name(std::string_view stem) { return std::string(stem) + "-" + tenon::Token::random().hex(); }

tenon::SysvKey unique_key() {
  return tenon::SysvKey::number(static_cast<key_t>(tenon::Token::random().value() | 1)).or_throw();  // 0 is no key
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(directory, gone)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

UniqueDirectory::UniqueDirectory() : path_("/dev/shm/" + unique_name("tenon-test")), maker_(::getpid()) {
  if (::mkdir(path_.c_str(), 0700) == -1) {
    throw tenon::Failure(tenon::os_failure("mkdir", errno).on(path_));
  }
  ::chmod(path_.c_str(), 0700);  // a test may run under umask 0777
}

UniqueDirectory::~UniqueDirectory() {
  if (::getpid() != maker_) {
    return;
  }
  if (!leftovers_allowed_) {
    for (const std::string& name : names_in(path_)) {
      ADD_FAILURE() << "left behind: \"" << tenon::escaped(name) << "\"";
    }
  }
  std::error_code error;
  fs::remove_all(path_, error);
  EXPECT_FALSE(error) << path_ << ": " << error.message();
}

std::string UniqueDirectory::operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

UniqueDomain::UniqueDomain() : domain_(tenon::Domain::open(directory_.path()).or_throw()) {
  if (const char* before = std::getenv("TENON_DOMAIN")) {
    named_before_ = before;
  }
  ::setenv("TENON_DOMAIN", directory_.path().c_str(), 1);
}

UniqueDomain::~UniqueDomain() {
  if (named_before_) {
    ::setenv("TENON_DOMAIN", named_before_->c_str(), 1);
  } else {
    ::unsetenv("TENON_DOMAIN");
  }
}

}  // namespace kit
