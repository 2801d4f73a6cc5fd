#pragma once
/// Two processes that pass messages on as fast as they can, and somebody who counts.
#include <tenon/os/domain.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <harness/processors.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace watched {

using Count = std::atomic<std::uint64_t>;

struct Kind {
  const char* name;
  /// Neither returns.
  std::function<void(const tenon::Domain& domain)> send;
  std::function<void(const tenon::Domain& domain, Count& received)> receive;
};

/// Pipes, queues and topics.
std::vector<Kind> kinds();

/// Runs until it goes, and is killed then.
class Traffic {
 public:
  /// `place` without processors leaves both to the kernel, else the receiver has the first and the sender the last.
  Traffic(const Kind& kind, const tenon::Domain& domain, const harness::Placement& place);
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  std::uint64_t received() const noexcept;

 private:
  Count& count() const noexcept;

  tenon::Mapping memory_;
  std::vector<tenon::Child> children_;
};

}  // namespace watched
