#include <tenon/inspect/patterns/endpoint_reader.hpp>

#include <tenon/base/file_identity.hpp>
#include <tenon/memory/type_record_layout.hpp>
#include <tenon/messaging/topic/message_layout.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

constexpr std::size_t token_digits = 16;
constexpr std::uint64_t most_file_bytes = std::uint64_t{1} << 40;
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

/// A publisher's ring, whose header fits its file.
class RingReader {
 public:
  static std::optional<RingReader> of(const EndpointFile& file, const PublisherHeader& header) {
    const bool entries = std::has_single_bit(header.entries) && (header.entry_bytes == 64 || header.entry_bytes == 128);
    const bool fits = file.size() <= most_file_bytes && header.ring_at >= after_state &&
                      header.ring_at <= file.size() &&
                      std::uint64_t{header.entries} * header.entry_bytes <= file.size() - header.ring_at;
    return entries && fits ? std::optional(RingReader(file, header)) : std::nullopt;
  }

  // As MessageRing::first_free() finds it. A hint that is none, or a writer that is faster than this, ends the search
  // somewhere: after so many steps.
  std::uint64_t first_free(std::uint64_t known) const {
    constexpr int most_steps = 128;
    std::uint64_t from = known;
    std::uint64_t step = 1;
    for (int i = 0; i < most_steps && is_published(from + step - 1); ++i) {
      from += step;
      step = std::min<std::uint64_t>(step * 2, header_->entries);
    }
    std::uint64_t to = from + step - 1;
    while (to != from) {
      const std::uint64_t middle = from + (to - from) / 2;
      if (is_published(middle)) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return to;
  }
  /// Of those of the newest messages that are still there.
  std::optional<MessageSizes> sizes(std::uint64_t first, std::uint64_t next) const {
    constexpr std::uint64_t most_looked_at = 16;
    const std::uint64_t looked_at = std::min({next - first, most_looked_at, std::uint64_t{header_->entries}});
    MessageSizes sizes{.least = UINT64_MAX, .most = 0, .mean = 0};
    std::uint64_t seen = 0;
    std::uint64_t sum = 0;
    for (std::uint64_t at = next - looked_at; at != next; ++at) {
      if (const auto bytes = bytes_of(at)) {
        sizes.least = std::min(sizes.least, *bytes);
        sizes.most = std::max(sizes.most, *bytes);
        sum += *bytes;
        ++seen;
      }
    }
    sizes.mean = seen == 0 ? 0 : sum / seen;
    return seen == 0 ? std::nullopt : std::optional(sizes);
  }

 private:
  RingReader(const EndpointFile& file, const PublisherHeader& header) noexcept : file_(&file), header_(&header) {}

  struct EntryHead {
    std::uint64_t number;
    std::uint64_t time;
    std::uint64_t about;
  };
  static_assert(offsetof(MessageEntry<5>, number) == 0 && offsetof(MessageEntry<5>, about) == 16);
  static_assert(offsetof(MessageEntry<13>, number) == 0 && offsetof(MessageEntry<13>, about) == 16);

  std::uint64_t place_of(std::uint64_t at) const noexcept {
    return header_->ring_at + (at & (header_->entries - 1)) * header_->entry_bytes;
  }
  // Also if it was overwritten since.
  bool is_published(std::uint64_t at) const noexcept {
    const auto number = file_->value_at<std::uint64_t>(place_of(at));
    return number && static_cast<std::int64_t>(*number - at) > 0;
  }
  std::optional<std::uint64_t> bytes_of(std::uint64_t at) const noexcept {
    const auto entry = file_->value_at<EntryHead>(place_of(at));
    if (!entry || entry->number != at + 1) {
      return std::nullopt;
    }
    const MessageAbout about = MessageAbout::unpack(entry->about);
    const std::uint64_t most =
        about.form == MessageForm::chunk ? header_->chunk_bytes : header_->entry_bytes - sizeof(EntryHead);
    return about.bytes <= most ? std::optional(about.bytes) : std::nullopt;
  }

  const EndpointFile* file_;
  const PublisherHeader* header_;
};

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
  return file.size() <= most_file_bytes && header.max_held <= most_held && header.rows_at >= after_state &&
         header.rows_at <= file.size() && header.row_bytes <= most_file_bytes &&
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
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;  // a FIFO of that name keeps nobody waiting
  auto file = fd_from(uninterrupted([&] { return ::openat(directory.raw(), name.c_str(), flags); }), "open");
  if (!file) {
    return fail(std::move(file.error()));
  }
  struct stat status{};
  if (::fstat(file->raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Error(Errc::wrong_kind, "open").because("it is no regular file"));
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

Result<PublisherSeen> read_publisher(const EndpointFile& file) {
  const auto header = read_header<PublisherHeader>(file);
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
