#pragma once
/// A subscriber's file: its own, with rows that are added as publishers come, and another's as a publisher sees it.
#include <tenon/messaging/topic/endpoint_file.hpp>
#include <tenon/messaging/topic/topic_folder.hpp>
#include <tenon/os/mapping.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tenon {

/// A row, wherever it is mapped.
struct RowView {
  SubscriberRow* row;
  std::span<std::atomic<std::uint32_t>> pins;
};

struct SubscriberShape {
  bool reliable = true;
  std::uint32_t max_held = 1;
};

/// One's own. Its rows stay where they are mapped when it grows.
class OwnSubscriberFile {
 public:
  /// Failures: no_space, limit_reached, permission_denied.
  static Result<OwnSubscriberFile> create(TopicFolder& folder, const EndpointName& name, const SubscriberShape& shape,
                                          const MessageType& type, bool fences, bool barred);
  static std::uint64_t bytes_needed(const SubscriberShape& shape, const MessageType& type) noexcept;

  /// A row that is nobody's; the file grows if there is none. Failures: no_space, limit_reached.
  Result<RowView> free_row();
  SubscriberState& state() const noexcept;
  const EndpointName& name() const noexcept { return name_; }

 private:
  OwnSubscriberFile(Fd file, Mapping memory, const SubscriberHeader& header, const EndpointName& name);
  void add_rows(std::byte* begin, std::size_t bytes);
  Result<void> grow();

  Fd file_;
  std::vector<Mapping> memory_;
  SubscriberHeader header_;
  EndpointName name_;
  std::uint64_t bytes_;
  std::vector<RowView> rows_;
};

/// Another's, mapped read-only: all that is read there is held against this publisher's own figures.
class SubscriberFile {
 public:
  /// Outcomes: not_found. Failures: corrupt, version_mismatch, not_supported, limit_reached, permission_denied.
  static Result<SubscriberFile> open(const TopicFolder& folder, const EndpointName& name);

  /// The row that bears this publisher's token, if there is one.
  std::optional<RowView> row_of(Token publisher) const noexcept;
  /// Maps what was added at its end since. Returns whether there was anything.
  Result<bool> follow_growth(const TopicFolder& folder);

  const SubscriberHeader& header() const noexcept { return header_; }
  const SubscriberState& state() const noexcept;
  const EndpointName& name() const noexcept { return name_; }

 private:
  SubscriberFile(Mapping memory, const SubscriberHeader& header, const EndpointName& name) noexcept
      : memory_(std::move(memory)), header_(header), name_(name) {}

  Mapping memory_;
  SubscriberHeader header_;
  EndpointName name_;
};

}  // namespace tenon
