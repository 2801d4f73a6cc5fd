#include <tenon/inspect/patterns/endpoint_reader.hpp>

#include <tenon/base/file_identity.hpp>
#include <tenon/inspect/patterns/regular_file.hpp>
#include <tenon/inspect/patterns/ring_reader.hpp>
#include <tenon/memory/type_record_layout.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

constexpr std::size_t token_digits = 16;
constexpr std::uint32_t most_held = 1 << 20;
constexpr std::uint64_t most_rows = 4096;  // of publishers that have ended, some, and of garbage

Error corrupt(std::string_view what) { return Error(Errc::corrupt).because(what); }

Result<void> check_head(const EndpointHead& head, const EndpointFile& file) {
  const bool publishes = file.kind() == EndpointFile::Kind::publisher;
  const auto& magic = publishes ? publisher_magic : subscriber_magic;
  auto known = check_identity(identity_of(head), {.magic = magic, .layout_version = topic_layout_version});
  if (!known) {
    return known;
  }
  const bool own = head.token == file.token().value() && head.life == file.life().value();
  return own ? Result<void>() : fail(corrupt("it names another endpoint than its file's name does"));
}

template <class Header>
Result<Header> read_header(const EndpointFile& file) {
  const auto header = file.value_at<Header>(0);
  if (!header) {
    return fail(corrupt("it is shorter than its header"));
  }
  return check_head(header->head, file).transform([&] { return *header; });
}

// A type that lies outside of the file has no name.
TypeSeen read_type(const EndpointFile& file, const EndpointHead& head) {
  const auto record = head.type_bytes >= sizeof(TypeRecord) ? file.value_at<TypeRecord>(head.type_at) : std::nullopt;
  if (!record) {
    return {};
  }
  const std::size_t length = std::min<std::size_t>(record->name.length, sizeof record->name.characters);
  return {.name = std::string(record->name.characters, length), .bytes = record->size};
}

// How far the publisher is ahead of the gate; not at all where it has ended, or the figures make no sense.
std::uint64_t lag_of(std::uint64_t next, std::uint64_t gate, bool drained) noexcept {
  const std::uint64_t lag = next - gate;
  return drained || static_cast<std::int64_t>(lag) < 0 ? 0 : lag;
}

/// As SubscriberRow, without its atomics.
struct RowSeen {
  std::uint64_t publisher;
  std::uint64_t gate;
  std::uint64_t received;
  std::uint64_t lost;
  std::uint64_t history_short;
  std::uint64_t drained;
};
static_assert(offsetof(SubscriberRow, gate) == 8 && offsetof(SubscriberRow, received) == 16);
static_assert(offsetof(SubscriberRow, lost) == 24 && offsetof(SubscriberRow, drained) == 40);

std::uint32_t held_in_row(const EndpointFile& file, std::uint64_t row_at, std::uint32_t max_held) {
  std::vector<std::uint32_t> pins(max_held);
  const bool whole = file.read(std::as_writable_bytes(std::span(pins)), row_at + sizeof(SubscriberRow));
  return whole ? static_cast<std::uint32_t>(pins.size() - static_cast<std::size_t>(std::ranges::count(pins, 0U))) : 0;
}

std::vector<TopicStanding> read_rows(const EndpointFile& file, const SubscriberHeader& header,
                                     std::span<const PublisherHead> publishers) {
  std::vector<TopicStanding> standings;
  const std::uint64_t rows = std::min((file.size() - header.rows_at) / header.row_bytes, most_rows);
  for (std::uint64_t i = 0; i < rows; ++i) {
    const std::uint64_t at = header.rows_at + i * header.row_bytes;
    const auto row = file.value_at<RowSeen>(at);
    const auto of = row ? std::ranges::find(publishers, row->publisher, &PublisherHead::first) : publishers.end();
    // One row for each: who writes a thousand of them has them counted once.
    if (!row || row->publisher == 0 || of == publishers.end() ||
        std::ranges::find(standings, row->publisher, &TopicStanding::publisher) != standings.end()) {
      continue;
    }
    standings.push_back({.publisher = row->publisher,
                         .lag = lag_of(of->second, row->gate, row->drained != 0),
                         .received = row->received,
                         .lost = row->lost,
                         .history_short = row->history_short,
                         .held = held_in_row(file, at, header.max_held)});
  }
  return standings;
}

bool fits(const SubscriberHeader& header, const EndpointFile& file) noexcept {
  return file.size() <= most_endpoint_bytes && header.max_held <= most_held && header.rows_at >= after_state &&
         header.rows_at <= file.size() && header.row_bytes <= most_endpoint_bytes &&
         header.row_bytes >= sizeof(SubscriberRow) + header.max_held * sizeof(std::uint32_t);
}

}  // namespace

std::optional<EndpointFile::Parsed> EndpointFile::parse(std::string_view name) {
  constexpr std::size_t kind_size = 4;
  const bool publishes = name.starts_with("pub.");
  if (name.size() != kind_size + token_digits + 1 + token_digits || name[kind_size + token_digits] != '.' ||
      (!publishes && !name.starts_with("sub."))) {
    return std::nullopt;
  }
  const auto token = Token::parse(name.substr(kind_size, token_digits));
  const auto life = Token::parse(name.substr(kind_size + token_digits + 1));
  return token && life ? std::optional(Parsed{
                             .kind = publishes ? Kind::publisher : Kind::subscriber, .token = *token, .life = *life})
                       : std::nullopt;
}

Result<EndpointFile> EndpointFile::open(FdView directory, const std::string& name, const Parsed& parsed) {
  auto file = open_regular(directory, name);
  struct stat status{};
  if (!file || ::fstat(file->raw(), &status) == -1) {
    return fail(file ? os_failure("fstat", errno) : std::move(file.error()));
  }
  return EndpointFile(std::move(*file), parsed, static_cast<std::uint64_t>(status.st_size),
                      static_cast<std::uint64_t>(status.st_blocks) * 512);
}

bool EndpointFile::has_name() const noexcept {
  struct stat status{};
  return ::fstat(file_.raw(), &status) == 0 && status.st_nlink != 0;
}

bool EndpointFile::read(MutableBytes into, std::uint64_t at) const noexcept {
  const ssize_t got =
      uninterrupted([&] { return ::pread(file_.raw(), into.data(), into.size(), static_cast<off_t>(at)); });
  return got == static_cast<ssize_t>(into.size());
}

Result<PublisherHeader> read_publisher_header(const EndpointFile& file) { return read_header<PublisherHeader>(file); }

Result<PublisherSeen> read_publisher(const EndpointFile& file) {
  const auto header = read_publisher_header(file);
  if (!header) {
    return fail(Error(header.error()));
  }
  const auto ring = RingReader::of(file, *header);
  const auto head = file.value_at<std::uint64_t>(state_at + offsetof(PublisherState, head));
  const auto closed = file.value_at<std::uint32_t>(state_at + offsetof(PublisherState, closed));
  if (!ring || !head || !closed) {
    return fail(corrupt("its header does not fit its file"));
  }
  const std::uint64_t next = ring->first_free(*head);
  return PublisherSeen{.head = header->head,
                       .type = read_type(file, header->head),
                       .closed = *closed != 0,
                       .first = header->first,
                       .next = next,
                       .depth = header->depth,
                       .sizes = ring->sizes(header->first, next)};
}

Result<SubscriberSeen> read_subscriber(const EndpointFile& file, std::span<const PublisherHead> publishers) {
  const auto header = read_header<SubscriberHeader>(file);
  if (!header) {
    return fail(Error(header.error()));
  }
  const auto since = file.value_at<std::int64_t>(state_at + offsetof(SubscriberState, waits_since));
  if (!since || !fits(*header, file)) {
    return fail(corrupt("its header does not fit its file"));
  }
  return SubscriberSeen{.head = header->head,
                        .type = read_type(file, header->head),
                        .reliable = header->reliable != 0,
                        .max_held = header->max_held,
                        .waits_since = *since,
                        .standings = read_rows(file, *header, publishers)};
}

}  // namespace tenon::inspect
