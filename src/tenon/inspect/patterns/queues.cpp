#include <tenon/inspect/patterns/queues.hpp>

#include <tenon/base/file_identity.hpp>
#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/inspect/patterns/lives.hpp>
#include <tenon/memory/type_record_layout.hpp>
#include <tenon/messaging/queue/queue_layout.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/domain.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>
#include <sys/stat.h>

namespace tenon::inspect {

namespace {

Error corrupt(std::string_view what) { return Error(Errc::corrupt).because(what); }

Result<QueueHeader> read_header(const DomainFile& file) {
  const auto header = file.value_at<QueueHeader>(0);
  if (!header) {
    return fail(corrupt("it is no queue"));
  }
  auto known = check_identity(identity_of(*header), {.magic = queue_magic, .layout_version = queue_layout_version});
  if (!known) {
    return fail(std::move(known.error()));
  }
  if (!fits(*header, file.size())) {
    return fail(corrupt("its header does not fit its file"));
  }
  return *header;
}

/// What is read of QueueState: plain words, as pread(2) finds them.
struct StateSeen {
  std::uint32_t removed;
  std::uint32_t arrived;
  std::uint32_t freed;
  std::array<std::uint32_t, 5> rest;
  std::uint64_t returned;
};
static_assert(offsetof(StateSeen, arrived) == offsetof(QueueState, arrived));
static_assert(offsetof(StateSeen, freed) == offsetof(QueueState, freed));
static_assert(offsetof(StateSeen, returned) == offsetof(QueueState, returned));

constexpr std::uint32_t asleep = 1;  // of a bell's word. messaging/queue/queue_bell.hpp

/// What is read of QueueSlot.
struct SlotSeen {
  std::uint64_t state;
  std::array<std::uint64_t, 4> rest;
  std::int64_t sent;
  std::array<std::uint64_t, 2> last;
};
static_assert(sizeof(SlotSeen) == slot_bytes_at && offsetof(SlotSeen, sent) == offsetof(QueueSlot, sent));

/// The heads of all slots, read many at a time where they lie close together.
class SlotReader {
 public:
  SlotReader(const DomainFile& file, const QueueHeader& header) : file_(file), header_(header) {}

  std::optional<SlotSeen> slot(std::uint32_t number) {
    const std::uint64_t at = header_.slots_at + number * header_.slot_bytes;
    if (at < from_ || at + sizeof(SlotSeen) > from_ + window_.size()) {
      const std::uint64_t left = header_.slots_at + header_.slots * header_.slot_bytes - at;
      window_.resize(std::min<std::uint64_t>(header_.slot_bytes <= close ? at_once : sizeof(SlotSeen), left));
      from_ = at;
      if (!file_.read(window_, from_)) {
        window_.clear();
        return std::nullopt;
      }
    }
    SlotSeen seen;
    std::memcpy(&seen, window_.data() + (at - from_), sizeof seen);
    return seen;
  }

 private:
  static constexpr std::size_t at_once = 65536;
  static constexpr std::uint64_t close = 1024;

  const DomainFile& file_;
  const QueueHeader& header_;
  std::vector<std::byte> window_;
  std::uint64_t from_ = 0;
};

std::vector<QueueMemberSeen> read_members(const DomainFile& file, const QueueHeader& header, Lives& lives,
                                          std::vector<std::uint16_t>& places) {
  std::vector<QueueMemberSeen> members;
  for (std::uint32_t place = 0; place < header.members; ++place) {
    const auto token = file.value_at<std::uint64_t>(header.members_at + place * sizeof(QueueMember));
    if (token.value_or(0) != 0) {
      const Token life = Token::from(*token);
      const bool alive = !lives.is_gone(life);
      members.push_back(
          {.token = *token, .pid = lives.pid_of(life).value_or(0), .alive = alive, .taken = 0, .sending = 0});
      places.push_back(static_cast<std::uint16_t>(place));
    }
  }
  return members;
}

// Of a member whose place is nobody's by now nothing is told.
QueueMemberSeen* member_at(QueueSeen& queue, const std::vector<std::uint16_t>& places, std::uint16_t place) {
  const auto found = std::ranges::lower_bound(places, place);
  return found != places.end() && *found == place ? &queue.members[static_cast<std::size_t>(found - places.begin())]
                                                  : nullptr;
}

void count(QueueSeen& queue, const SlotSeen& slot, const std::vector<std::uint16_t>& places, std::int64_t now) {
  const SlotState state = SlotState::of(slot.state);
  QueueMemberSeen* const member = member_at(queue, places, state.member);
  switch (state.phase) {
    case SlotPhase::ready:
    case SlotPhase::queued:
      ++queue.waiting;
      queue.oldest_waits = std::max(queue.oldest_waits, now - slot.sent);
      break;
    case SlotPhase::taken:
      ++queue.taken;
      if (member != nullptr) {
        ++member->taken;
      }
      break;
    case SlotPhase::writing:
      ++queue.being_sent;
      if (member != nullptr) {
        ++member->sending;
      }
      break;
    default:
      break;
  }
}

Result<QueueSeen> read_queue(const DomainFile& file, std::string_view name, Lives& lives) {
  const auto header = read_header(file);
  const auto type = header ? file.value_at<TypeRecord>(header->type_at) : std::nullopt;
  const auto state = header ? file.value_at<StateSeen>(queue_state_at) : std::nullopt;
  const auto word_at = [&](std::size_t offset) { return file.value_at<std::uint64_t>(queue_state_at + offset); };
  const auto sent = word_at(offsetof(QueueState, next_seq));
  const auto free_blocks = file.value_at<std::uint32_t>(queue_state_at + offsetof(QueueState, free_blocks));
  if (!header || header->type_bytes < sizeof(TypeRecord) || !type || !state || !sent || !free_blocks) {
    return fail(header ? corrupt("its type does not lie in it") : Error(header.error()));
  }
  QueueSeen queue{};
  queue.name = std::string(name);
  queue.owner = file.owner();
  queue.type.assign(type->name.characters, std::min<std::size_t>(type->name.length, sizeof type->name.characters));
  queue.type_bytes = type->size;
  queue.any_length = header->blocks != 0 || header->short_bytes != type->size;
  queue.most_messages = header->slots;
  queue.bytes = header->blocks * header->block_bytes;
  queue.free_bytes = std::min<std::uint64_t>(*free_blocks, header->blocks) * header->block_bytes;
  queue.sent = *sent;
  queue.returned = state->returned;
  queue.receivers_sleep = (state->arrived & asleep) != 0;
  queue.senders_sleep = (state->freed & asleep) != 0;
  queue.removed = state->removed != 0;
  queue.memory = file.memory();
  std::vector<std::uint16_t> places;
  queue.members = read_members(file, *header, lives, places);
  SlotReader slots(file, *header);
  const std::int64_t now = monotonic_now();
  for (std::uint32_t i = 0; i < header->slots; ++i) {
    if (const auto slot = slots.slot(i)) {
      count(queue, *slot, places, now);
    }
  }
  return queue;
}

}  // namespace

Result<Queues> queues(const std::string& domain) {
  const auto directory = open_domain_directory(domain);
  auto names = directory ? names_in(directory->view(), queue_prefix) : fail(Error(directory.error()));
  if (!names) {
    return fail(std::move(names.error()));
  }
  Queues all{.queues = {}, .unseen = {}, .at = monotonic_now()};
  Lives lives(directory->view());
  for (const std::string& name : *names) {
    auto queue = DomainFile::open(directory->view(), name).and_then([&](const DomainFile& file) {
      return read_queue(file, std::string_view(name).substr(std::string_view(queue_prefix).size()), lives);
    });
    if (queue) {
      all.queues.push_back(std::move(*queue));
    } else if (!queue.failed_with(Errc::not_found)) {
      all.unseen.push_back(name + ": " + queue.error().message());
    }
  }
  return all;
}

}  // namespace tenon::inspect
