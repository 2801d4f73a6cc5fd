#include <tenon/messaging/topic/publisher_file.hpp>

#include <algorithm>
#include <bit>
#include <string>

namespace tenon {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 40;
constexpr std::uint64_t page = 4096;

constexpr std::uint64_t up_to(std::uint64_t bytes, std::uint64_t multiple) noexcept {
  return (bytes + multiple - 1) / multiple * multiple;
}

// Everything in it lies within `bytes`, in its order. No overflow: what is multiplied is bounded before.
bool fits(const PublisherHeader& header, std::uint64_t bytes) noexcept {
  const bool entries = header.entries >= 2 && std::has_single_bit(header.entries) &&
                       (header.entry_bytes == 64 || header.entry_bytes == 128) && header.depth >= 1 &&
                       header.depth <= header.entries;
  const bool ring = header.ring_at >= after_state && header.ring_at % 128 == 0 && header.ring_at <= bytes &&
                    std::uint64_t{header.entries} * header.entry_bytes <= bytes - header.ring_at;
  const bool chunks = header.chunks == 0 ||
                      (header.chunk_bytes > 0 && header.chunk_bytes % 64 == 0 && header.chunks_at % 64 == 0 &&
                       header.chunks_at <= bytes && header.chunks <= (bytes - header.chunks_at) / header.chunk_bytes);
  return bytes <= most_bytes && header.file_bytes == bytes && entries && ring && chunks;
}

}  // namespace

Result<PublisherHeader> lay_out(const PublisherShape& shape, const MessageType& type) {
  PublisherHeader header{};
  header.depth = shape.depth;
  header.entries = shape.entries;
  header.entry_bytes = shape.entry_bytes;
  header.chunks = shape.chunks;
  header.chunk_bytes = shape.chunk_bytes;
  header.head.type_at = after_state;
  header.head.type_bytes = type.record_bytes();
  header.ring_at = up_to(after_state + type.record_bytes(), 128);
  header.chunks_at = up_to(header.ring_at + std::uint64_t{shape.entries} * shape.entry_bytes, 64);
  const bool too_large = shape.chunk_bytes != 0 && shape.chunks > (most_bytes - header.chunks_at) / shape.chunk_bytes;
  header.file_bytes = too_large ? 0 : up_to(header.chunks_at + shape.chunks * shape.chunk_bytes, page);
  if (too_large || !fits(header, header.file_bytes)) {
    const auto all = static_cast<long double>(shape.chunks) * static_cast<long double>(shape.chunk_bytes);
    const auto wanted = too_large ? static_cast<std::uint64_t>(std::min(all, 9e18L)) : header.file_bytes;
    return fail(Error(Errc::limit_reached)
                    .with({.name = "bytes of a publisher's file",
                           .value = most_bytes,
                           .wanted = wanted,
                           .remedy = "ask for less depth, fewer loans and less to be held, or smaller messages"}));
  }
  return header;
}

const PublisherState& PublisherFile::state() const noexcept {
  return *reinterpret_cast<const PublisherState*>(memory_.data() + state_at);
}

Result<PublisherHeader> read_publisher_header(FdView file, std::uint64_t bytes, const EndpointName& name,
                                              const MessageType& type) {
  auto header = read_header<PublisherHeader>(file, name);
  if (!header) {
    return header;
  }
  if (!fits(*header, bytes)) {
    return fail(corrupt_endpoint(name, "its header does not fit its file"));
  }
  return read_type_of(file, header->head, bytes)
      .and_then([&](const StoredType& stored) { return check_type(stored, type.description, type.fields); })
      .transform([&] { return *header; });
}

Result<PublisherFile> PublisherFile::open(const TopicFolder& folder, const EndpointName& name, const MessageType& type,
                                          std::uint32_t entry_bytes) {
  auto file = folder.open(name);
  if (!file) {
    return fail(std::move(file.error()));
  }
  const auto bytes = bytes_of_file(file->view());
  const auto header = bytes ? read_publisher_header(file->view(), *bytes, name, type) : fail(Error(bytes.error()));
  if (!header) {
    return header.error() == Errc::type_mismatch ? fail(Error(header.error()).on(folder.topic()))
                                                 : fail(Error(header.error()));
  }
  if (header->entry_bytes != entry_bytes) {
    return fail(corrupt_endpoint(name, "its entries are not as long as its type wants"));
  }
  return Mapping::of_file(file->view(), *bytes, Access::read).transform([&](Mapping memory) {
    return PublisherFile(std::move(memory), *header, name);
  });
}

}  // namespace tenon
