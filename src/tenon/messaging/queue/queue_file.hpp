#pragma once
/// A queue's file: how large it is, what its maker writes into it, what who opens it believes of it, and how its name
/// goes.
///
/// Edges: B1, that it was removed is news to who sleeps, as queue_bell.hpp has it.
#include <tenon/memory/type_record.hpp>
#include <tenon/messaging/queue/queue_memory.hpp>
#include <tenon/messaging/queue/queue_options.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/sync/holder.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace tenon {

/// A queue's messages, as the program knows them.
struct QueueType {
  TypeDescription description;
  std::span<const TypeField> fields;
  std::uint64_t bytes_of_each = 0;  ///< 0: of any length
};

/// Where things stand in it. Failures: invalid_argument (no messages, or members), limit_reached (more than 2^40
/// bytes).
Result<QueueHeader> lay_out(const QueueOptions& options, const QueueType& type);
/// Makes an empty queue in memory that is zero, nobody else sees yet, and has `header.bytes`.
void initialise_queue(MutableBytes memory, QueueHeader header, const QueueType& type, const Holder& maker) noexcept;
/// What the memory begins with, once it was found to fit it, and to be of this type. Failures: corrupt,
/// version_mismatch, not_supported, type_mismatch.
Result<QueueHeader> check_queue(MutableBytes memory, const QueueType& type, std::string_view name);

class QueueFile {
 public:
  /// Outcomes: already_exists. Failures: invalid_name, permission_denied, no_space, no_memory, limit_reached,
  /// invalid_argument.
  static Result<QueueFile> create(const Holder& maker, std::string_view name, const QueueOptions& options,
                                  const QueueType& type);
  /// Finishes a removal that somebody was killed in. Outcomes: not_found. Failures: invalid_name, permission_denied,
  /// wrong_kind, corrupt, version_mismatch, not_supported, type_mismatch.
  static Result<QueueFile> open(const Domain& domain, std::string_view name, const QueueType& type);
  /// All who have it open are told, then its name goes. Of two who remove it at once, and one who makes another of its
  /// name between them, none removes that one. Outcomes: not_found. Failures: as open(), but type_mismatch.
  static Result<void> remove(const Domain& domain, std::string_view name);

  /// Tells all who have it open.
  void say_removed() const noexcept;
  /// Whether its file still has a name.
  bool has_name() const noexcept;
  QueueMemory memory() const noexcept { return {mapping_.bytes(), header_}; }

 private:
  QueueFile(Fd fd, Mapping mapping, const QueueHeader& header)
      : fd_(std::move(fd)), mapping_(std::move(mapping)), header_(header) {}
  static Result<QueueFile> open_any(const Domain& domain, const std::string& file);
  static Result<void> own_name(const Domain& domain, const std::string& file, FdView opened);
  static Result<void> take_name_away(const Domain& domain, const std::string& file);

  Fd fd_;
  Mapping mapping_;
  QueueHeader header_;
};

}  // namespace tenon
