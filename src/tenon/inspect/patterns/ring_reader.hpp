#pragma once
/// The messages in a publisher's ring, as its file tells of them. messaging/topic/message_ring.hpp has the picture
#include <tenon/inspect/patterns/endpoint_reader.hpp>
#include <tenon/inspect/patterns/topics.hpp>
#include <tenon/messaging/topic/topic_layout.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace tenon::inspect {

/// No endpoint's file is longer.
inline constexpr std::uint64_t most_endpoint_bytes = std::uint64_t{1} << 40;

/// Borrows the file and its header. Whatever stands in the ring, nothing outside of the file is read.
class RingReader {
 public:
  /// Nothing if the header does not fit the file.
  static std::optional<RingReader> of(const EndpointFile& file, const PublisherHeader& header);

  /// The number of the next message, looked for from a number that is none greater. Of a hint that is none, or of a
  /// writer that is faster than the reader, some number.
  std::uint64_t first_free(std::uint64_t known) const;
  /// Of those of the newest messages that are still there.
  std::optional<MessageSizes> sizes(std::uint64_t first, std::uint64_t next) const;

  struct Message {
    std::uint64_t bytes;
    std::string begins;  ///< up to as many as asked for
  };
  /// The one of that number. Nothing if it is not there any more, also if it went while it was read.
  std::optional<Message> message(std::uint64_t at, std::size_t bytes) const;

 private:
  RingReader(const EndpointFile& file, const PublisherHeader& header) noexcept : file_(&file), header_(&header) {}

  struct EntryHead {
    std::uint64_t number;
    std::uint64_t time;
    std::uint64_t about;
  };

  std::uint64_t place_of(std::uint64_t at) const noexcept;
  bool is_published(std::uint64_t at) const noexcept;
  std::optional<EntryHead> entry_of(std::uint64_t at) const noexcept;
  std::optional<std::uint64_t> bytes_of(const EntryHead& entry) const noexcept;
  std::optional<std::uint64_t> payload_at(std::uint64_t at, const EntryHead& entry) const noexcept;

  const EndpointFile* file_;
  const PublisherHeader* header_;
};

}  // namespace tenon::inspect
