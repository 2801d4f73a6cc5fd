#pragma once
/// A domain that nobody else uses.
#include <tenon/os/domain.hpp>

#include <string>
#include <vector>

namespace soak {

class ScratchDomain {
 public:
  ScratchDomain();
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

}  // namespace soak
