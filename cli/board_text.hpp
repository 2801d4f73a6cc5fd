#pragma once
/// What the commands that read and write a blackboard have in common: which one, and its keys and values as text.
#include <tenon/messaging/blackboard/any_board.hpp>

#include <cli/value_text.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

/// Which board, of which domain.
struct BoardChoice {
  std::string board;
  std::string domain = Domain::path_of_environment();
};

void add_board(CLI::App& command, BoardChoice& choice);

/// That domain, which is not made. Outcomes: not_found. Failures: permission_denied, wrong_kind.
Result<Domain> domain_of(const BoardChoice& choice);
/// Whether there is no such board, in words that say how to find those that there are.
Error board_error(Error error, const BoardChoice& choice);
/// To read alone. Outcomes: not_found. Failures: permission_denied, corrupt, version_mismatch, type_mismatch.
Result<AnyBoard> open_for_reading(const Domain& domain, const BoardChoice& choice);

/// By the types that stand in the board.
class BoardText {
 public:
  /// Failures: corrupt.
  static Result<BoardText> of(const AnyBoard& board);

  /// `text` is the key itself, or its JSON. Failures: type_mismatch.
  Result<std::vector<std::byte>> key_in(std::string_view text) const;
  /// A text as it is, escaped; anything else as JSON.
  std::string key_text(Bytes key) const;
  ValueText::Json key_json(Bytes key) const;

  /// Its number among the board's types of values; the only one there is for "". Failures: invalid_argument (there is
  /// no such type, or there are several).
  Result<std::uint32_t> type_named(std::string_view name) const;
  const ValueText& values(std::uint32_t type) const { return values_[type]; }

 private:
  explicit BoardText(ValueText keys) : keys_(std::move(keys)) {}
  std::string names() const;

  ValueText keys_;
  std::vector<ValueText> values_;
  std::vector<std::string> names_;
};

/// docs/schema/board_value.json: {key, number, age, writer, value}. Failures: corrupt.
Result<ValueText::Json> json_of(const BoardText& texts, const AnyBoard& board, std::uint32_t entry,
                                const AnyBoard::Read& read);
enum class ValueLine : std::uint8_t { value, key_and_value, json };
/// "bid=41 ask=42", "ACME  bid=41 ask=42", or json_of() on one line; with its newline. Failures: corrupt.
Result<std::string> line_of(const BoardText& texts, const AnyBoard& board, std::uint32_t entry,
                            const AnyBoard::Read& read, ValueLine form);

}  // namespace tenon::cli
