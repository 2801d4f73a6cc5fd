#pragma once
/// Who of a topic's endpoints lives, and taking away what the dead have left.
///
/// A publisher that has ended keeps its file until every living subscriber has received all of it: a reliable one that
/// has not yet met it would miss messages else. A subscriber that has ended keeps nothing.
///
/// Threads: one at a time.
#include <tenon/messaging/topic/endpoint_file.hpp>
#include <tenon/messaging/topic/topic_folder.hpp>
#include <tenon/sync/holder.hpp>

#include <cstdint>
#include <set>
#include <vector>

namespace tenon {

class TopicCensus {
 public:
  explicit TopicCensus(const Holder& holder) noexcept : own_(holder.token()), deaths_(holder) {}

  /// Whether the process of this life is no member any more. Who cannot be asked lives.
  bool is_gone(Token life);

  /// Removes the files that nobody needs any more. Whoever is killed in it has done part of the work, and no harm.
  void sweep(const TopicFolder& folder);

  /// What comes before one's own file: sweep(), and whether all publishers that live in the topic have this type of
  /// messages. What a subscriber says of its own type is not asked: it reads what publishers wrote, and finds out
  /// there. Failures: type_mismatch, version_mismatch.
  Result<void> prepare(const TopicFolder& folder, const MessageType& type);

 private:
  using Names = std::vector<EndpointName>;
  void sweep(const TopicFolder& folder, const Names& names);
  Result<void> check_publishers_types(const TopicFolder& folder, const Names& names, const MessageType& type);

  Token own_;
  Deaths deaths_;
  std::set<std::uint64_t> gone_ = {};  ///< a token never comes again, and to look for one reads the whole domain
};

}  // namespace tenon
