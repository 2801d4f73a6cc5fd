#pragma once
/// A name that a test uses, and whatever stands there in the end is taken away with it.
#include <string>
#include <string_view>
#include <sys/types.h>

namespace kit {

/// A path; else the guard of its directory would call what stands there left over.
class NamedPath {
 public:
  explicit NamedPath(std::string whole);
  ~NamedPath();
  NamedPath(const NamedPath&) = delete;
  NamedPath& operator=(const NamedPath&) = delete;

  bool exists() const;
  const std::string path;
};

/// A name as shm_open(3) and sem_open(3) take it, which nobody else has: "/STEM-0123456789abcdef". It stands in
/// /dev/shm, with the prefix that the mechanism gives it ("sem.").
class SharedName : public NamedPath {
 public:
  explicit SharedName(std::string_view prefix = "");
  const std::string name;

 private:
  SharedName(std::string_view prefix, std::string unique);
};

/// The permission bits of what stands at a path, a symlink itself among them.
mode_t mode_of(const std::string& path);

}  // namespace kit
