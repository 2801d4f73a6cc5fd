#pragma once
/// A domain that nobody else uses, for programs that are no tests of GoogleTest's: those take a UniqueDomain.
#include <tenon/os/domain.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace kit {

class ScratchDomain {
 public:
  /// In /dev/shm, by the name "tenon-STEM-…".
  explicit ScratchDomain(std::string_view stem);
  /// Removes it with whatever is still in it.
  ~ScratchDomain();
  ScratchDomain(const ScratchDomain&) = delete;
  ScratchDomain& operator=(const ScratchDomain&) = delete;

  const tenon::Domain& operator*() const noexcept { return domain_; }
  const std::string& path() const noexcept { return domain_.path(); }
  std::vector<std::string> names() const;

 private:
  tenon::Domain domain_;
};

}  // namespace kit
