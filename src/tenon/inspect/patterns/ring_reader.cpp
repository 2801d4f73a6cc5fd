#include <tenon/inspect/patterns/ring_reader.hpp>

#include <tenon/messaging/topic/message_layout.hpp>

#include <algorithm>
#include <bit>
#include <span>

namespace tenon::inspect {

std::optional<RingReader> RingReader::of(const EndpointFile& file, const PublisherHeader& header) {
  const bool entries = std::has_single_bit(header.entries) && (header.entry_bytes == 64 || header.entry_bytes == 128);
  const bool fits = file.size() <= most_endpoint_bytes && header.ring_at >= after_state &&
                    header.ring_at <= file.size() &&
                    std::uint64_t{header.entries} * header.entry_bytes <= file.size() - header.ring_at;
  return entries && fits ? std::optional(RingReader(file, header)) : std::nullopt;
}

// As MessageRing::first_free() finds it, in so many steps at most.
std::uint64_t RingReader::first_free(std::uint64_t known) const {
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

std::optional<MessageSizes> RingReader::sizes(std::uint64_t first, std::uint64_t next) const {
  constexpr std::uint64_t most_looked_at = 16;
  const std::uint64_t looked_at = std::min({next - first, most_looked_at, std::uint64_t{header_->entries}});
  MessageSizes sizes{.least = UINT64_MAX, .most = 0, .mean = 0};
  std::uint64_t seen = 0;
  std::uint64_t sum = 0;
  for (std::uint64_t at = next - looked_at; at != next; ++at) {
    const auto entry = entry_of(at);
    if (const auto bytes = entry ? bytes_of(*entry) : std::nullopt) {
      sizes.least = std::min(sizes.least, *bytes);
      sizes.most = std::max(sizes.most, *bytes);
      sum += *bytes;
      ++seen;
    }
  }
  sizes.mean = seen == 0 ? 0 : sum / seen;
  return seen == 0 ? std::nullopt : std::optional(sizes);
}

// A publisher takes the number back before it writes into the entry anew, and before it reuses the chunk.
std::optional<RingReader::Message> RingReader::message(std::uint64_t at, std::size_t bytes) const {
  const auto entry = entry_of(at);
  const auto length = entry ? bytes_of(*entry) : std::nullopt;
  const auto payload = length ? payload_at(at, *entry) : std::nullopt;
  if (!payload) {
    return std::nullopt;
  }
  Message message{.bytes = *length, .begins = std::string(std::min<std::uint64_t>(*length, bytes), '\0')};
  const bool read = file_->read(std::as_writable_bytes(std::span(message.begins)), *payload);
  return read && entry_of(at) ? std::optional(std::move(message)) : std::nullopt;
}

std::uint64_t RingReader::place_of(std::uint64_t at) const noexcept {
  return header_->ring_at + (at & (header_->entries - 1)) * header_->entry_bytes;
}

// Also if it was overwritten since.
bool RingReader::is_published(std::uint64_t at) const noexcept {
  const auto number = file_->value_at<std::uint64_t>(place_of(at));
  return number && static_cast<std::int64_t>(*number - at) > 0;
}

std::optional<RingReader::EntryHead> RingReader::entry_of(std::uint64_t at) const noexcept {
  static_assert(offsetof(MessageEntry<5>, number) == 0 && offsetof(MessageEntry<5>, about) == 16);
  static_assert(offsetof(MessageEntry<13>, number) == 0 && offsetof(MessageEntry<13>, about) == 16);
  const auto entry = file_->value_at<EntryHead>(place_of(at));
  return entry && entry->number == at + 1 ? entry : std::nullopt;
}

std::optional<std::uint64_t> RingReader::bytes_of(const EntryHead& entry) const noexcept {
  const MessageAbout about = MessageAbout::unpack(entry.about);
  const std::uint64_t most =
      about.form == MessageForm::chunk ? header_->chunk_bytes : header_->entry_bytes - sizeof(EntryHead);
  return about.bytes <= most ? std::optional(about.bytes) : std::nullopt;
}

// In the entry, or in the chunk that its first word names; nothing if that lies outside of the file.
std::optional<std::uint64_t> RingReader::payload_at(std::uint64_t at, const EntryHead& entry) const noexcept {
  const std::uint64_t words = place_of(at) + sizeof(EntryHead);
  if (MessageAbout::unpack(entry.about).form != MessageForm::chunk) {
    return words;
  }
  const auto chunk = file_->value_at<std::uint64_t>(words);
  const bool fits = chunk && header_->chunk_bytes != 0 && header_->chunks_at <= file_->size() &&
                    *chunk < (file_->size() - header_->chunks_at) / header_->chunk_bytes;
  return fits ? std::optional(header_->chunks_at + *chunk * header_->chunk_bytes) : std::nullopt;
}

}  // namespace tenon::inspect
