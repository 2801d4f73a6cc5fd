#pragma once
/// In which orders the checked programs of a domain have taken their locks, which of them are held, and what was
/// refused. sync/lock_order.hpp
///
/// Reads the file without mapping it, so nobody who cuts it short ends the reader. What is written meanwhile is seen or
/// not; what is half-written is shown without what is missing.
#include <tenon/base/result.hpp>
#include <tenon/sync/lock_order_layout.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tenon::inspect {

struct OrderedLock {
  std::string name;  ///< "mutex at byte 64 of /dev/shm/bank"; any byte may stand in it
  const char* kind;  ///< "mutex", "sysv_semaphore", …
  std::uint64_t device;
  std::uint64_t inode;
  std::uint64_t offset;
};

struct LockHold {
  std::uint32_t lock;  ///< in LockOrders::locks
  std::uint64_t token;
  std::optional<std::uint32_t> pid;  ///< nothing if it died, and was swept up
  std::uint32_t thread;
  std::string taken_at;  ///< "bank.cpp:17"
  bool died;             ///< its process has left the domain without giving it back
};

struct LockOrderLink {
  std::uint32_t held;    ///< in LockOrders::locks
  std::uint32_t wanted;  ///< in LockOrders::locks
  OrderStanding standing;
  bool is_told;  ///< false if whoever took them so was killed while it was written down: then the rest is empty
  std::uint32_t pid;
  std::uint32_t thread;
  std::string process;
  std::string held_at;
  std::string wanted_at;
  std::int64_t when;  ///< nanoseconds since 1970
};

struct LockOrders {
  std::string path;
  std::int64_t since;  ///< nanoseconds since 1970
  std::vector<OrderedLock> locks;
  std::vector<LockHold> holds;
  std::vector<LockOrderLink> orders;  ///< but those of locks in whose place others have been made since
};

/// Of the domain in that directory. Outcomes: not_found (there is no such directory, or no checked program has locked
/// anything there). Failures: corrupt, version_mismatch, permission_denied, wrong_kind.
Result<LockOrders> lock_orders(const std::string& domain);

/// "proposed", "accepted", "refused"
const char* name_of(OrderStanding standing) noexcept;

}  // namespace tenon::inspect
