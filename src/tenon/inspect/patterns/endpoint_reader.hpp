#pragma once
/// One file of a topic, read with pread(2): nothing of it is believed before it was held against the file's length.
/// messaging/topic/topic_layout.hpp
#include <tenon/base/bytes.hpp>
#include <tenon/inspect/patterns/topics.hpp>
#include <tenon/messaging/topic/topic_layout.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/token.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::inspect {

class EndpointFile {
 public:
  enum class Kind : std::uint8_t { publisher, subscriber };
  struct Parsed {
    Kind kind;
    Token token;
    Token life;
  };
  /// "pub.TOKEN.LIFE", "sub.TOKEN.LIFE"; nothing for other names.
  static std::optional<Parsed> parse(std::string_view name);
  /// Outcomes: not_found. Failures: as open_regular().
  static Result<EndpointFile> open(FdView directory, const std::string& name, const Parsed& parsed);

  Token token() const noexcept { return parsed_.token; }
  Token life() const noexcept { return parsed_.life; }
  Kind kind() const noexcept { return parsed_.kind; }
  std::uint64_t size() const noexcept { return size_; }
  std::uint64_t memory() const noexcept { return memory_; }
  /// Not any more once its owner has taken it back, or others have swept it up.
  bool has_name() const noexcept;
  /// Whether all of `into` could be read: the kernel ends it where the file does, wherever `at` is.
  bool read(MutableBytes into, std::uint64_t at) const noexcept;
  template <class T>
  std::optional<T> value_at(std::uint64_t at) const noexcept {
    T value;
    return read(mutable_bytes_of_value(value), at) ? std::optional(value) : std::nullopt;
  }

 private:
  EndpointFile(Fd file, const Parsed& parsed, std::uint64_t size, std::uint64_t memory) noexcept
      : file_(std::move(file)), parsed_(parsed), size_(size), memory_(memory) {}

  Fd file_;
  Parsed parsed_;
  std::uint64_t size_;
  std::uint64_t memory_;
};

struct TypeSeen {
  std::string name;
  std::uint64_t bytes = 0;
};

struct PublisherSeen {
  EndpointHead head;
  TypeSeen type;
  bool closed;
  std::uint64_t first;
  std::uint64_t next;  ///< the number of the next message
  std::uint64_t depth;
  std::optional<MessageSizes> sizes;
};
/// Failures: corrupt, version_mismatch, not_supported (a mode).
Result<PublisherHeader> read_publisher_header(const EndpointFile& file);
/// Failures: as above.
Result<PublisherSeen> read_publisher(const EndpointFile& file);

/// A publisher's token, and the number of its next message.
using PublisherHead = std::pair<std::uint64_t, std::uint64_t>;

struct SubscriberSeen {
  EndpointHead head;
  TypeSeen type;
  bool reliable;
  std::uint32_t max_held;
  std::int64_t waits_since;
  std::vector<TopicStanding> standings;  ///< to those publishers alone
};
/// Failures: corrupt, version_mismatch, not_supported (a mode).
Result<SubscriberSeen> read_subscriber(const EndpointFile& file, std::span<const PublisherHead> publishers);

}  // namespace tenon::inspect
