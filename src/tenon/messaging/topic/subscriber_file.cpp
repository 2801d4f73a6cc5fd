#include <tenon/messaging/topic/subscriber_file.hpp>

#include <tenon/messaging/topic/gate_scan.hpp>
#include <tenon/os/reserve.hpp>

#include <cstring>

namespace tenon {

namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t fewest_rows = 8;
constexpr std::uint32_t most_held = 1 << 20;

constexpr std::uint64_t up_to(std::uint64_t bytes, std::uint64_t multiple) noexcept {
  return (bytes + multiple - 1) / multiple * multiple;
}

std::uint64_t row_bytes_of(std::uint32_t max_held) noexcept {
  return sizeof(SubscriberRow) + up_to(max_held * sizeof(std::atomic<std::uint32_t>), cache_line);
}

SubscriberHeader lay_out(const SubscriberShape& shape, const MessageType& type) noexcept {
  SubscriberHeader header{};
  header.reliable = shape.reliable ? 1 : 0;
  header.max_held = shape.max_held;
  header.row_bytes = row_bytes_of(shape.max_held);
  header.head.type_at = after_state;
  header.head.type_bytes = type.record_bytes();
  header.rows_at = up_to(after_state + type.record_bytes(), cache_line);
  return header;
}

bool fits(const SubscriberHeader& header, std::uint64_t bytes) noexcept {
  return header.max_held <= most_held && header.row_bytes == row_bytes_of(header.max_held) &&
         header.rows_at >= after_state && header.rows_at % cache_line == 0 && header.rows_at <= bytes;
}

RowView row_at(std::byte* at, std::uint32_t pins) noexcept {
  return {.row = reinterpret_cast<SubscriberRow*>(at),
          .pins = {reinterpret_cast<std::atomic<std::uint32_t>*>(at + sizeof(SubscriberRow)), pins}};
}

}  // namespace

OwnSubscriberFile::OwnSubscriberFile(Fd file, Mapping memory, const SubscriberHeader& header, const EndpointName& name)
    : file_(std::move(file)), header_(header), name_(name), bytes_(memory.size()) {
  add_rows(memory.data() + header.rows_at, memory.size() - header.rows_at);
  memory_.push_back(std::move(memory));
}

std::uint64_t OwnSubscriberFile::bytes_needed(const SubscriberShape& shape, const MessageType& type) noexcept {
  const SubscriberHeader header = lay_out(shape, type);
  return up_to(header.rows_at + fewest_rows * header.row_bytes, page);
}

Result<OwnSubscriberFile> OwnSubscriberFile::create(TopicFolder& folder, const EndpointName& name,
                                                    const SubscriberShape& shape, const MessageType& type, bool fences,
                                                    bool barred) {
  if (shape.max_held > most_held) {
    return fail(Error(Errc::limit_reached)
                    .with({.name = "messages that a subscriber may hold",
                           .value = most_held,
                           .wanted = shape.max_held,
                           .remedy = "copy what is kept for longer"}));
  }
  SubscriberHeader header = lay_out(shape, type);
  header.head = head_of(name, header.head.type_at, header.head.type_bytes);
  header.fences = fences ? 1 : 0;
  header.barred = barred ? 1 : 0;
  const auto fill = [&](MutableBytes memory) {
    std::memcpy(memory.data(), &header, sizeof header);
    write_type(memory.subspan(header.head.type_at), type.description, type.fields);
  };
  return folder.publish(name, bytes_needed(shape, type), fill).transform([&](TopicFolder::File file) {
    return OwnSubscriberFile(std::move(file.fd), std::move(file.memory), header, name);
  });
}

void OwnSubscriberFile::add_rows(std::byte* begin, std::size_t bytes) {
  for (std::size_t at = 0; bytes - at >= header_.row_bytes; at += header_.row_bytes) {
    rows_.push_back(row_at(begin + at, header_.max_held));
  }
}

Result<RowView> OwnSubscriberFile::free_row() {
  for (const RowView& view : rows_) {
    if (row_is_of(view.row->publisher, 0)) {
      return view;
    }
  }
  const std::size_t before = rows_.size();
  return grow().transform([&] { return rows_[before]; });
}

// As many rows as there are, in whole pages. A row may lie across the border of what was mapped before: so the new map
// begins at the page of the first row that was not whole.
Result<void> OwnSubscriberFile::grow() {
  const std::uint64_t first_new = header_.rows_at + rows_.size() * header_.row_bytes;
  const std::uint64_t to = up_to(first_new + rows_.size() * header_.row_bytes, page);
  if (auto reserved = reserve(file_.view(), bytes_, to); !reserved) {
    return fail(std::move(reserved.error()).on(name_.text()));
  }
  bytes_ = to;
  const std::uint64_t from = first_new / page * page;
  auto mapped = Mapping::of_file(file_.view(), from, to - from, Access::read_write);
  if (!mapped) {
    return fail(std::move(mapped.error()).on(name_.text()));
  }
  add_rows(mapped->data() + (first_new - from), to - first_new);
  memory_.push_back(std::move(*mapped));
  return {};
}

SubscriberState& OwnSubscriberFile::state() const noexcept {
  return *reinterpret_cast<SubscriberState*>(memory_.front().data() + state_at);
}

Result<SubscriberFile> SubscriberFile::open(const TopicFolder& folder, const EndpointName& name) {
  auto file = folder.open(name);
  if (!file) {
    return fail(std::move(file.error()));
  }
  const auto bytes = bytes_of_file(file->view());
  const auto header = bytes ? read_header<SubscriberHeader>(file->view(), name) : fail(Error(bytes.error()));
  if (!header) {
    return fail(Error(header.error()));
  }
  if (!fits(*header, *bytes)) {
    return fail(corrupt_endpoint(name, "its header does not fit its file"));
  }
  return Mapping::of_file(file->view(), *bytes, Access::read).transform([&](Mapping memory) {
    return SubscriberFile(std::move(memory), *header, name);
  });
}

std::optional<RowView> SubscriberFile::row_of(Token publisher) const noexcept {
  const std::size_t room = memory_.size() - header_.rows_at;
  for (std::size_t at = 0; room - at >= header_.row_bytes; at += header_.row_bytes) {
    const RowView view = row_at(memory_.data() + header_.rows_at + at, header_.max_held);
    if (row_is_of(view.row->publisher, publisher.value())) {
      return view;
    }
  }
  return std::nullopt;
}

Result<bool> SubscriberFile::follow_growth(const TopicFolder& folder) {
  const auto seen = folder.bytes_of(name_);
  if (!seen) {
    return fail(Error(seen.error()));
  }
  if (*seen <= memory_.size()) {
    return false;
  }
  auto file = folder.open(name_);
  if (!file) {
    return fail(std::move(file.error()));
  }
  const auto bytes = bytes_of_file(file->view());
  if (!bytes) {
    return fail(Error(bytes.error()));
  }
  return Mapping::of_file(file->view(), *bytes, Access::read).transform([&](Mapping memory) {
    memory_ = std::move(memory);
    return true;
  });
}

const SubscriberState& SubscriberFile::state() const noexcept {
  return *reinterpret_cast<const SubscriberState*>(memory_.data() + state_at);
}

}  // namespace tenon
