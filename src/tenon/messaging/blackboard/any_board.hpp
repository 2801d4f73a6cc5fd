#pragma once
/// A blackboard for who does not know its types: keys and values are bytes, as the types say that stand in its file.
#include <tenon/messaging/blackboard/board_port.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace tenon {

/// Threads: all calls from several at once but moves. fork: as Blackboard.
class AnyBoard {
 public:
  /// Outcomes: not_found. Failures: as Blackboard::open(), without type_mismatch.
  static Result<AnyBoard> open(const Holder& holder, std::string_view name);
  /// The same to read alone, by whoever may read the domain.
  static Result<AnyBoard> open_for_reading(const Domain& domain, std::string_view name);

  const StoredBoardTypes& types() const noexcept { return types_; }
  const BoardHeader& header() const noexcept { return port_->file().header(); }

  /// The number of the key's entry. `key` has as many bytes as its type.
  std::optional<std::uint32_t> find(Bytes key) const noexcept { return port_->find(key); }
  /// Entries are numbered in the order in which their keys were added; those below this one are there. Looks at each.
  std::uint32_t entries() const noexcept;
  Bytes key(std::uint32_t entry) const noexcept { return port_->file().key(entry); }
  /// Which of types().values an entry's values are of. Failures: corrupt (there is no such type).
  Result<std::uint32_t> type_of(std::uint32_t entry) const;
  /// How many values have been written.
  std::uint64_t number_of(std::uint32_t entry) const noexcept { return port_->file().copies(entry).number(); }

  struct Read : ValueStamp {
    std::vector<std::byte> value;
  };
  /// Outcomes: not_found (it has no value yet). Failures: corrupt.
  Result<Read> read(std::uint32_t entry) const;
  /// `value` has as many bytes as its type. Adds the key where there is none, as one of value type `type`. Outcomes and
  /// failures: as Blackboard::write().
  Result<std::uint64_t> write(Bytes key, std::uint32_t type, Bytes value, Deadline deadline);

  /// Until the entry has a newer value than this. Outcomes: timed_out, stopped.
  Result<void> wait(std::uint32_t entry, std::uint64_t number, Deadline deadline) const {
    return port_->wait(entry, number, deadline);
  }
  /// Borrows the board, which outlives it.
  BoardChanges changes(BoardChanges::From from) const { return {*port_, from}; }

 private:
  static Result<AnyBoard> of(Result<std::unique_ptr<BoardPort>> port);
  AnyBoard(std::unique_ptr<BoardPort> port, StoredBoardTypes types)
      : port_(std::move(port)), types_(std::move(types)) {}

  std::unique_ptr<BoardPort> port_;
  StoredBoardTypes types_;
};

}  // namespace tenon
