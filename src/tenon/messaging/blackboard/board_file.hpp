#pragma once
/// A blackboard's file: how large it is, what its maker writes into it, and what who opens it believes of it.
#include <tenon/memory/type_record.hpp>
#include <tenon/messaging/blackboard/board_layout.hpp>
#include <tenon/messaging/blackboard/board_options.hpp>
#include <tenon/messaging/topic/topic_bell.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/token.hpp>
#include <tenon/ring/sequence_lock/sequenced_copies.hpp>
#include <tenon/sync/mutex.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenon {

/// A type, as the program knows it.
struct BoardType {
  TypeDescription description;
  std::span<const TypeField> fields;
};
/// The types of a board, as the program knows them.
struct BoardTypes {
  BoardType key;
  std::span<const BoardType> values;
};
/// The types of a board, as they stand in its file.
struct StoredBoardTypes {
  StoredType key;
  std::vector<StoredType> values;
};

/// Where things stand in it. Failures: invalid_argument (no keys), limit_reached (more than 2^40 bytes).
Result<BoardHeader> lay_out(const BoardOptions& options, const BoardTypes& types);

class BoardFile {
 public:
  /// Outcomes: already_exists. Failures: invalid_name, permission_denied, no_space, no_memory, limit_reached,
  /// invalid_argument.
  static Result<BoardFile> create(const Domain& domain, std::string_view name, Token maker, const BoardOptions& options,
                                  const BoardTypes& types);
  /// Outcomes: not_found. Failures: invalid_name, permission_denied, corrupt, version_mismatch, not_supported.
  static Result<BoardFile> open(const Domain& domain, std::string_view name, Access access);
  /// Takes its name away; who has it open goes on with what is there. Outcomes: not_found. Failures: invalid_name,
  /// permission_denied.
  static Result<void> remove(const Domain& domain, std::string_view name);

  /// Failures: corrupt.
  Result<StoredBoardTypes> types() const;
  /// Failures: type_mismatch, which names the types, and of types of one name the first field that differs; corrupt.
  Result<void> check_types(const BoardTypes& own) const;

  const std::string& name() const noexcept { return name_; }
  const BoardHeader& header() const noexcept { return header_; }
  Access access() const noexcept { return access_; }
  BoardState& state() const noexcept { return *reinterpret_cast<BoardState*>(memory_.data() + board_state_at); }
  std::span<std::atomic<std::uint32_t>> table() const noexcept {
    return {reinterpret_cast<std::atomic<std::uint32_t>*>(memory_.data() + header_.table_at), header_.table_places};
  }
  /// `entry` is less than header().entries.
  BoardEntryHead& entry(std::uint32_t entry) const noexcept {
    return *reinterpret_cast<BoardEntryHead*>(start_of(entry));
  }
  MutableBytes key(std::uint32_t entry) const noexcept { return {start_of(entry) + board_key_at, header_.key_bytes}; }
  SequencedCopies<> copies(std::uint32_t entry) const noexcept {
    using Word = SequencedCopies<>::Word;
    std::byte* const start = start_of(entry);
    return {reinterpret_cast<BoardEntryHead*>(start)->state, reinterpret_cast<Word*>(start + header_.copies_at),
            header_.copy_bytes / sizeof(Word), header_.copies};
  }

 private:
  BoardFile(Mapping memory, const BoardHeader& header, Access access, std::string_view name)
      : memory_(std::move(memory)), header_(header), access_(access), name_(name) {}
  std::byte* start_of(std::uint32_t entry) const noexcept {
    return memory_.data() + header_.entries_at + entry * header_.entry_bytes;
  }

  Mapping memory_;
  BoardHeader header_;
  Access access_;
  std::string name_;
};

inline Mutex& mutex_in(BoardMutexBytes& bytes) noexcept {
  return *std::launder(reinterpret_cast<Mutex*>(bytes.data()));
}
inline BellWord<>& bell_in(BoardBellBytes& bytes) noexcept {
  return *std::launder(reinterpret_cast<BellWord<>*>(bytes.data()));
}

}  // namespace tenon
