#pragma once
/// A publisher without its type: what it does for each message stands here, and what it does once in a while in the
/// source. Publisher<T> of topic.hpp is the handle.
///
/// Each message: its entry. Each message or batch: one look at the bell. Once for `depth` messages at most: who is
/// there, and how far the reliable ones have come. Once for several long messages: what is held.
///
/// 4. Edges: those of message_ring.hpp (M1, M2, M3), chunk_pool.hpp (C1, C2, C3), gate_scan.hpp (G1, G2, G3) and
///    topic_bell.hpp (B1, B2), and of its own:
///      T1  store-release closed, after the last message → load-acquire (SubscriberPort): who has seen that it closed
///          sees all that it published.
///
/// Threads: one at a time. After fork() the child's copy answers in_child.
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/messaging/topic/chunk_pool.hpp>
#include <tenon/messaging/topic/message_clock.hpp>
#include <tenon/messaging/topic/message_ring.hpp>
#include <tenon/messaging/topic/publisher_file.hpp>
#include <tenon/messaging/topic/subscriber_roster.hpp>
#include <tenon/messaging/topic/topic_census.hpp>
#include <tenon/messaging/topic/topic_options.hpp>
#include <tenon/os/fork_count.hpp>
#include <tenon/os/own_processor.hpp>
#include <tenon/os/stop.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon {

/// What a publisher's file has room for, for messages of this size.
Result<PublisherShape> shape_of(const PublisherOptions& options, std::uint64_t message_bytes, std::uint32_t entry_bytes,
                                bool in_chunks);

/// A message in a chunk.
struct LentMessage {
  std::uint32_t chunk;
  std::uint64_t bytes;
};

template <std::size_t Words>
class alignas(128) PublisherPort {
 public:
  using Entry = MessageEntry<Words>;
  using Ring = MessageRing<Entry>;

  static Result<std::unique_ptr<PublisherPort>> create(const Holder& holder, std::string_view topic,
                                                       const PublisherOptions& options, const PublisherShape& shape,
                                                       const MessageType& type);
  /// The same in a directory that was entered, by this token, which nobody has had before. What `type` names lives as
  /// long as this.
  static Result<std::unique_ptr<PublisherPort>> create_at(TopicFolder folder, const Holder& holder,
                                                          const PublisherOptions& options, const PublisherShape& shape,
                                                          const MessageType& type, Token token);
  /// Closes, and drops the error.
  ~PublisherPort();
  PublisherPort(const PublisherPort&) = delete;
  PublisherPort& operator=(const PublisherPort&) = delete;

  /// One message within an entry, of a type that has no others. Outcomes and failures: as Publisher::publish.
  template <std::size_t N>
  Result<void> publish_words(const std::array<std::uint64_t, N>& words, std::uint64_t bytes, Deadline deadline) {
    if (!is_ready()) [[unlikely]] {
      if (auto room = make_room(deadline); !room) {
        return room;
      }
    }
    writer_.template publish<N>(now(), about(bytes, MessageForm::inline_words), words);
    ring_if_wanted();
    return {};
  }
  /// As many as there is room for until the deadline: words_of(i) are those of the i-th. Returns how many were
  /// published; fails only if none was.
  template <std::size_t N, class WordsOf>
  Result<std::size_t> publish_batch(std::size_t count, std::uint64_t bytes, WordsOf words_of, Deadline deadline) {
    const BatchTime time(*this);
    return publish_each(
        count,
        [&](std::size_t sent) {
          // A wait may have moved it to another processor.
          const MessageAbout same = about(bytes, MessageForm::inline_words);
          for (; sent < count && writer_.may_publish(); ++sent) {
            writer_.template publish<N>(time.now(), same, words_of(sent));
          }
          return sent;
        },
        deadline);
  }
  /// One message within an entry, of a type that has long ones too: it has chunks.
  Result<void> publish_short(Bytes message, Deadline deadline);

  /// One message whose words are the caller's, the number of its chunk among them if it has one: for who puts something
  /// of its own before each message. When it fails, the chunk stays the caller's.
  template <std::size_t N>
  Result<void> publish_entry(const std::array<std::uint64_t, N>& words, std::uint64_t bytes,
                             std::optional<std::uint32_t> chunk, Deadline deadline) {
    if (!is_ready()) [[unlikely]] {
      if (auto room = make_room(deadline); !room) {
        return room;
      }
    }
    const std::uint64_t at = writer_.next();
    writer_.template publish<N>(now(), about(bytes, chunk ? MessageForm::chunk : MessageForm::inline_words), words);
    if (!chunk_in_entry_.empty()) {
      retire(std::exchange(chunk_in_entry_[at & (header_.entries - 1)], chunk ? *chunk + 1 : 0));
    }
    ring_if_wanted();
    return {};
  }

  /// A chunk to write a message into. Failures: limit_reached (all are lent or held), in_child.
  Result<std::uint32_t> take_chunk();
  std::byte* chunk(std::uint32_t number) const noexcept {
    return own_.data() + header_.chunks_at + number * header_.chunk_bytes;
  }
  /// A chunk whose message is not to be published.
  void put_back(std::uint32_t number) noexcept { pool_.put_back(number); }
  /// The message that was written there. When it fails, the chunk stays the caller's.
  Result<void> publish_chunk(std::uint32_t number, std::uint64_t bytes, Deadline deadline);
  /// As publish_batch(): lent_of(i) is the i-th.
  template <class LentOf>
  Result<std::size_t> publish_chunks(std::size_t count, LentOf lent_of, Deadline deadline) {
    const BatchTime time(*this);
    return publish_each(
        count,
        [&](std::size_t sent) {
          for (; sent < count && writer_.may_publish(); ++sent) {
            put_chunk(lent_of(sent), time.now());
          }
          return sent;
        },
        deadline);
  }

  Result<void> close();
  bool is_of_this_process() const noexcept { return ForkCount::now() == fork_; }
  std::uint64_t next() const noexcept { return writer_.next(); }
  std::vector<SubscriberStanding> subscribers();
  /// Whether a subscriber may have seen the message of this number: not, where all whom the last scan met say that they
  /// are before it.
  bool may_have_been_seen(std::uint64_t message) {
    const auto furthest = roster_.furthest();
    return !furthest || static_cast<std::int64_t>(*furthest - message) > 0;
  }
  const TopicFolder& folder() const noexcept { return folder_; }

 private:
  PublisherPort(const Holder& holder, const PublisherOptions& options, const PublisherHeader& header,
                TopicFolder folder, TopicFolder::File file, const EndpointName& name, bool registered);
  static Result<std::unique_ptr<PublisherPort>> create_in(TopicFolder& folder, const Holder& holder,
                                                          const PublisherOptions& options, PublisherHeader header,
                                                          const MessageType& type, Token token);

  // Room may be found again and again without a wait.
  static bool is_over(Deadline deadline) noexcept {
    return !deadline.is_immediate() && (stop_requested(deadline) || deadline.passed());
  }
  bool is_ready() const noexcept { return writer_.may_publish() && is_of_this_process(); }
  std::uint64_t now() const noexcept {
    return options_.timestamps == Timestamps::none ? 0 : read_clock(static_cast<MessageClock>(header_.clock));
  }
  MessageAbout about(std::uint64_t bytes, MessageForm form) const noexcept {
    return {.bytes = bytes, .processor = own_processor(), .form = form};
  }
  void ring_if_wanted() noexcept {
    std::atomic_signal_fence(
        std::memory_order_seq_cst);  // B1: the sleeper's membarrier orders processors, not compilers
    if (must_fence_) [[unlikely]] {
      fence_before_ringing(bell_->messages.word());
    }
    if (bell_->messages.is_wanted()) [[unlikely]] {
      wake_subscribers();
    }
  }
  // What the messages of a batch are stamped with.
  class BatchTime {
   public:
    explicit BatchTime(const PublisherPort& port) noexcept
        : port_(&port), each_(port.options_.timestamps == Timestamps::exact), begun_(each_ ? 0 : port.now()) {}
    std::uint64_t now() const noexcept { return each_ ? port_->now() : begun_; }

   private:
    const PublisherPort* port_;
    bool each_;
    std::uint64_t begun_;
  };
  // put_some(sent) puts those after the first `sent` for as long as it may, and returns how many were put in all.
  template <class PutSome>
  Result<std::size_t> publish_each(std::size_t count, PutSome put_some, Deadline deadline) {
    std::size_t sent = 0;
    while (sent < count) {
      if (!is_ready()) [[unlikely]] {
        ring_if_wanted();  // they are waited for, and may be what makes room
        if (sent != 0 && is_over(deadline)) {
          return sent;
        }
        if (auto room = make_room(deadline); !room) {
          return sent != 0 ? Result<std::size_t>(sent) : fail(std::move(room.error()));
        }
      }
      sent = put_some(sent);
    }
    ring_if_wanted();
    return sent;
  }
  void put_chunk(const LentMessage& lent, std::uint64_t time);
  void wake_subscribers() noexcept;
  void retire(std::uint32_t named);
  void withdraw();

  Result<void> check_usable() const;
  Result<void> make_room(Deadline deadline);
  Result<void> wait_for_room(std::uint32_t told, Deadline deadline, std::optional<Deadline> eviction);
  void scan();
  bool spin_for_room();
  void reclaim();
  Error full(Errc code) const;
  Error all_held() const;
  PublisherState& state() const noexcept { return *reinterpret_cast<PublisherState*>(own_.data() + state_at); }

  PublisherOptions options_;
  PublisherHeader header_;
  Holder holder_;
  TopicFolder folder_;
  Mapping own_;
  TopicCensus census_;
  typename Ring::Writer writer_;
  BellPage* bell_;
  bool registered_;
  bool must_fence_;
  std::uint32_t fork_;
  SubscriberRoster roster_;
  ChunkPool<> pool_;
  std::vector<std::uint32_t> chunk_in_entry_;  // its number + 1
  bool closed_ = false;
};

extern template class PublisherPort<5>;
extern template class PublisherPort<13>;

}  // namespace tenon
