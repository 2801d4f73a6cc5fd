#pragma once
/// What `tenon top` shows of two snapshots that were taken one after the other.
#include <tenon/inspect/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <tuple>
#include <vector>

namespace tenon::cli {

/// Which object of one snapshot is which of another's. It owns what it says: the snapshot may go.
using ObjectKey = std::tuple<inspect::Kind, std::string, int, inspect::FileId, std::string>;
ObjectKey key_of(const inspect::Object& object);

/// How much goes through an object a second. The kernel counts nothing: of its objects only the change of what stands
/// in them is seen, and who used them last, so it is at least that.
struct Traffic {
  double rate = 0;
  bool is_least = true;
};

struct TopObject {
  std::size_t object;  ///< in the newer snapshot
  std::string target;  ///< "topic:pose"
  Traffic traffic;
  std::uint64_t depth;    ///< messages, bytes or connections that wait in it
  std::uint64_t waiters;  ///< who waits for it, as far as that is seen
  std::string holders;    ///< "812 (worker --all)", "812, 815"
};

struct TopProcess {
  pid_t pid;
  uid_t user;
  std::string command;
  std::size_t objects;  ///< that it holds or takes part in
  std::string waits;    ///< "receive: topic:pose", "" if it is not seen to wait
};

enum class TopOrder : std::uint8_t { traffic, depth, waiters, name };
/// "traffic", …
std::string_view name_of(TopOrder order) noexcept;

/// What is listed of the objects, and how.
struct TopChoice {
  std::vector<inspect::Kind> kinds = {};  ///< all if empty
  TopOrder order = TopOrder::traffic;     ///< what is equal goes by name
  std::string filter = {};                ///< stands in the name or in the holders
};

/// `seconds` lie between the two.
std::vector<TopObject> top_objects(const inspect::Snapshot& now, const inspect::Snapshot& before, double seconds,
                                   const TopChoice& choice);
/// Those who have to do with such objects, and in whose commands or waits the filter stands: who waits first, then who
/// holds most.
std::vector<TopProcess> top_processes(const inspect::Snapshot& now, const TopChoice& choice);

}  // namespace tenon::cli
