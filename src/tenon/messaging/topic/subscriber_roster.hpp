#pragma once
/// Whom a publisher has to think of: its topic's subscribers, how far each has come and what each holds.
///
/// Who is there is looked up where the directory has changed, by a scan, which comes once for `depth` messages at most,
/// and before chunks are freed or sockets rung. What a subscriber's file says is held against this publisher's own
/// figures.
///
/// 4. Edges: those of gate_scan.hpp (G1, G2, G3), of chunk_pool.hpp (C1), whose pins it hands on, and of topic_bell.hpp
///    (B1), whose ringer it is for those who poll; and T2 of subscriber_port.hpp, by which it tells who has joined.
///
/// Threads: one at a time.
#include <tenon/messaging/topic/chunk_pool.hpp>
#include <tenon/messaging/topic/gate_scan.hpp>
#include <tenon/messaging/topic/subscriber_file.hpp>
#include <tenon/messaging/topic/topic_census.hpp>
#include <tenon/messaging/topic/topic_folder.hpp>
#include <tenon/messaging/topic/wake_socket.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenon {

/// How far behind a subscriber is, and what it holds.
struct SubscriberStanding {
  std::int32_t pid = 0;
  bool reliable = false;
  std::uint64_t behind = 0;  ///< messages that it has not received
  std::uint64_t lost = 0;    ///< as it says itself
  std::uint64_t held = 0;    ///< long messages
  bool evicted = false;
};

class SubscriberRoster {
 public:
  /// Of the publisher with this token, whose first message is number `first`, and that runs at most `depth` ahead of
  /// who is reliable. Folder and census outlive it.
  SubscriberRoster(TopicFolder& folder, TopicCensus& census, Token publisher, std::uint64_t first, std::uint64_t depth)
      : folder_(&folder), census_(&census), publisher_(publisher), gates_(first, depth), head_(first) {}

  /// Up to where the publisher may go on that is at `head`, before the next scan.
  std::uint64_t scan(std::uint64_t head);
  /// The same, of those whom the last scan met.
  std::uint64_t scan_again();

  /// Whether everybody whom the last scan met has received all before `head`, also who is not waited for; not if it met
  /// nobody.
  bool all_have_received(std::uint64_t head);

  /// How far the one has come that has come furthest, of those whom the last scan met; nothing, if none has said so.
  /// Also of who has died meanwhile.
  std::optional<std::uint64_t> furthest();

  /// Why not all who are there are known: until it goes, nothing is overwritten and nothing freed.
  const std::optional<Error>& blind() const noexcept { return blind_; }
  /// Whether one of them cannot make barriers for the publisher.
  bool wants_fences() const noexcept { return wants_fences_; }

  /// What all of them hold, behind a full fence.
  std::span<const std::span<const ChunkPool<>::Pin>> pins();
  /// Those of the dead who hold the publisher back, or its chunks, which `chunks_wanted` asks for.
  void drop_the_dead(bool chunks_wanted);
  /// The publisher goes on without the slowest of those that it waits for. Whether there is one.
  bool evict_slowest() noexcept;
  /// Rings the sockets of those who poll, and were told this by the bell.
  void ring(std::uint32_t told);
  void clear() noexcept { known_.clear(); }

  /// Of those who have joined: one that only has its name may begin behind what is published next.
  std::vector<SubscriberStanding> standings();
  /// "pid 12 holds 3, pid 14 holds 1", or nothing.
  std::string holders() const;
  /// "the slowest subscriber, pid 12, is 1024 messages behind"
  std::string slowest_text() const;

 private:
  struct Known {
    SubscriberFile file;
    std::optional<RowView> row = {};
    std::optional<std::uint64_t> newcomer = {};  ///< where it stands until it has a row
    bool evicted = false;
    bool is_reliable() const noexcept { return file.header().reliable != 0; }
  };

  void look_who_is_there();
  void look_again_at(const std::vector<EndpointName>& names);
  void find_row(Known& known);
  std::uint64_t stand_of(Known& known);
  std::uint64_t behind(const Known& known) const noexcept;
  const Known* slowest() const noexcept;
  SubscriberStanding standing(const Known& known) const noexcept;

  TopicFolder* folder_;
  TopicCensus* census_;
  Token publisher_;
  GateScan<> gates_;
  std::uint64_t head_;  ///< at the last scan
  std::vector<Known> known_;
  std::vector<std::span<const ChunkPool<>::Pin>> pins_ = {};  ///< room for pins()
  WakeRinger ringer_;
  std::optional<Error> blind_ = {};
  bool wants_fences_ = false;
};

}  // namespace tenon
