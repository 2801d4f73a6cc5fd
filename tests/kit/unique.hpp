#pragma once
/// Names and directories that no other test uses, taken away at the end.
#include <tenon/os/domain.hpp>
#include <tenon/os/sysv_key.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace kit {

/// "STEM-0123456789abcdef": never the same twice, short enough for a socket's path below a UniqueDirectory.
std::string unique_name(std::string_view stem = "test");

/// A System V key that nobody else has.
tenon::SysvKey unique_key();

/// The names in a directory, sorted, without "." and "..".
std::vector<std::string> names_in(const std::string& directory);

/// An empty directory on tmpfs, mode 0700. When it goes, so does all that is in it, and the test fails for each name
/// that was left, unless leftovers were allowed. Only the process that made it does that; a child's copy does nothing.
class UniqueDirectory {
 public:
  UniqueDirectory();
  ~UniqueDirectory();
  UniqueDirectory(const UniqueDirectory&) = delete;
  UniqueDirectory& operator=(const UniqueDirectory&) = delete;

  const std::string& path() const noexcept { return path_; }
  /// path()/name
  std::string operator/(std::string_view name) const;
  /// For tests whose subject is to leave something behind.
  void allow_leftovers() noexcept { leftovers_allowed_ = true; }

 private:
  std::string path_;
  pid_t maker_;
  bool leftovers_allowed_ = false;
};

/// A domain of its own in a UniqueDirectory. The environment's TENON_DOMAIN names it while it lives, so that programs
/// started by the test find it too.
class UniqueDomain {
 public:
  UniqueDomain();
  ~UniqueDomain();
  UniqueDomain(const UniqueDomain&) = delete;
  UniqueDomain& operator=(const UniqueDomain&) = delete;

  const tenon::Domain& domain() const noexcept { return domain_; }
  UniqueDirectory& directory() noexcept { return directory_; }
  const std::string& path() const noexcept { return directory_.path(); }

 private:
  UniqueDirectory directory_;
  tenon::Domain domain_;
  std::optional<std::string> named_before_;
};

}  // namespace kit
