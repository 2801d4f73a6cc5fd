#pragma once
/// A publisher's file: how large it is, what its maker writes into it, and what a subscriber believes of it.
#include <tenon/messaging/topic/endpoint_file.hpp>
#include <tenon/messaging/topic/topic_folder.hpp>
#include <tenon/os/mapping.hpp>

#include <cstdint>

namespace tenon {

/// What a publisher's file has room for.
struct PublisherShape {
  std::uint32_t entries = 2;       ///< a power of two
  std::uint32_t entry_bytes = 64;  ///< 64 or 128
  std::uint64_t depth = 2;
  std::uint32_t chunks = 0;
  std::uint64_t chunk_bytes = 0;  ///< a multiple of 64
};

/// Where things stand in it; all of it is reserved before the file has its name. Failures: limit_reached (more than
/// 2^40 bytes).
Result<PublisherHeader> lay_out(const PublisherShape& shape, const MessageType& type);

/// The header of a file of so many bytes, once it was held against its length, and its type against this one. Failures:
/// corrupt, version_mismatch, not_supported, type_mismatch (naming the first field that differs).
Result<PublisherHeader> read_publisher_header(FdView file, std::uint64_t bytes, const EndpointName& name,
                                              const MessageType& type);

/// Another's file, mapped read-only. What its header says was held against the file's length, once; what stands in its
/// entries is held against the header whenever it is read.
class PublisherFile {
 public:
  /// Outcomes: not_found. Failures: corrupt, version_mismatch, not_supported, type_mismatch (naming the first field
  /// that differs), limit_reached, permission_denied.
  static Result<PublisherFile> open(const TopicFolder& folder, const EndpointName& name, const MessageType& type,
                                    std::uint32_t entry_bytes);

  const PublisherHeader& header() const noexcept { return header_; }
  const PublisherState& state() const noexcept;
  const EndpointName& name() const noexcept { return name_; }
  template <class Entry>
  std::span<Entry> entries() const noexcept {
    return {reinterpret_cast<Entry*>(memory_.data() + header_.ring_at), header_.entries};
  }
  /// `chunk` is less than header().chunks.
  Bytes chunk(std::uint32_t chunk) const noexcept {
    return Bytes(memory_.bytes()).subspan(header_.chunks_at + chunk * header_.chunk_bytes, header_.chunk_bytes);
  }

 private:
  PublisherFile(Mapping memory, const PublisherHeader& header, const EndpointName& name) noexcept
      : memory_(std::move(memory)), header_(header), name_(name) {}

  Mapping memory_;
  PublisherHeader header_;
  EndpointName name_;
};

}  // namespace tenon
