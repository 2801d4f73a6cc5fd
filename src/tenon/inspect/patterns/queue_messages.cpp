#include <tenon/inspect/patterns/queue_messages.hpp>

#include <tenon/base/file_identity.hpp>
#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/messaging/queue/queue_layout.hpp>
#include <tenon/os/clock.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>

namespace tenon::inspect {

namespace {

/// QueueSlot in plain words, as pread(2) finds them.
struct SlotWords {
  std::uint64_t state;
  std::uint64_t seq;
  std::uint64_t length;
  std::uint32_t first_block;
  std::uint32_t blocks;
  std::uint32_t priority;
  std::uint32_t deliveries;
  std::int64_t sent;
  std::uint64_t from;
  std::uint64_t last;
};
static_assert(sizeof(SlotWords) == slot_bytes_at && offsetof(SlotWords, sent) == offsetof(QueueSlot, sent));
static_assert(offsetof(SlotWords, priority) == offsetof(QueueSlot, priority));

struct Found {
  std::uint64_t at;  // of the slot, in the file
  SlotWords words;
};

bool waits(std::uint64_t state) {
  const SlotPhase phase = SlotState::of(state).phase;
  return phase == SlotPhase::ready || phase == SlotPhase::queued;
}

// Where its bytes stand, if they lie where they may.
std::optional<std::uint64_t> place_of(const QueueHeader& header, const Found& found) {
  if (found.words.blocks == 0) {
    return found.words.length <= header.short_bytes ? std::optional(found.at + slot_bytes_at) : std::nullopt;
  }
  const bool fits = found.words.first_block < header.blocks && found.words.blocks <= header.blocks &&
                    found.words.length <= std::uint64_t{found.words.blocks} * header.block_bytes;
  return fits ? std::optional(header.arena_at + found.words.first_block * header.block_bytes) : std::nullopt;
}

// What somebody takes meanwhile is another's place by then, or none.
std::optional<WaitingMessage> message_of(const DomainFile& file, const QueueHeader& header, const Found& found,
                                         std::size_t bytes) {
  const auto at = place_of(header, found);
  std::string begins(std::min<std::uint64_t>(found.words.length, bytes), '\0');
  const bool read = at && file.read(std::as_writable_bytes(std::span(begins)), *at);
  const auto now = file.value_at<std::uint64_t>(found.at);
  if (!read || !now || SlotState::of(*now).use != SlotState::of(found.words.state).use || !waits(*now)) {
    return std::nullopt;
  }
  return WaitingMessage{.number = found.words.seq,
                        .priority = found.words.priority,
                        .deliveries = found.words.deliveries,
                        .waits = monotonic_now() - found.words.sent,
                        .bytes = found.words.length,
                        .begins = std::move(begins)};
}

std::vector<WaitingMessage> read_messages(const DomainFile& file, const QueueHeader& header, std::size_t most,
                                          std::size_t bytes) {
  std::vector<Found> found;
  for (std::uint32_t number = 0; number < header.slots; ++number) {
    const std::uint64_t at = header.slots_at + number * header.slot_bytes;
    if (const auto words = file.value_at<SlotWords>(at); words && waits(words->state)) {
      found.push_back({.at = at, .words = *words});
    }
  }
  std::ranges::sort(found, [](const Found& one, const Found& other) {
    return std::tuple(other.words.priority, one.words.seq) < std::tuple(one.words.priority, other.words.seq);
  });
  std::vector<WaitingMessage> messages;
  for (const Found& one : found) {
    if (messages.size() == most) {
      break;
    }
    if (auto message = message_of(file, header, one, bytes)) {
      messages.push_back(std::move(*message));
    }
  }
  return messages;
}

}  // namespace

Result<std::vector<WaitingMessage>> waiting_messages(const std::string& domain, std::string_view queue,
                                                     std::size_t most, std::size_t bytes) {
  return open_domain_directory(domain)
      .and_then(
          [&](const Fd& directory) { return DomainFile::open(directory.view(), queue_prefix + std::string(queue)); })
      .and_then([&](const DomainFile& file) -> Result<std::vector<WaitingMessage>> {
        const auto header = file.value_at<QueueHeader>(0);
        if (!header || !fits(*header, file.size())) {
          return fail(Error(Errc::corrupt).on(queue).because("its header does not fit its file"));
        }
        return check_identity(identity_of(*header), {.magic = queue_magic, .layout_version = queue_layout_version})
            .transform([&] { return read_messages(file, *header, most, bytes); });
      });
}

}  // namespace tenon::inspect
