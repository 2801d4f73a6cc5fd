/// tenon ls boards [--domain DIR] [--interval SECONDS] [--json]
#include <tenon/base/name.hpp>
#include <tenon/inspect/patterns/boards.hpp>

#include <cli/command.hpp>
#include <cli/object_text.hpp>
#include <cli/topic_text.hpp>
#include <cli/two_looks.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace tenon::cli {

namespace {

using inspect::Board;
using inspect::Boards;
using nlohmann::json;

using Looks = TwoLooks<Boards>;

// Values a second.
std::optional<double> rate_of(const Looks& looks, const Board& board) {
  if (!looks.before) {
    return std::nullopt;
  }
  const auto found = std::ranges::find(looks.before->boards, board.name, &Board::name);
  const std::uint64_t written = found == looks.before->boards.end() ? 0 : found->written;
  return board.written < written ? 0 : static_cast<double>(board.written - written) / looks.seconds();
}

std::string types_text(const Board& board) {
  std::string text = escaped(board.key_type) + " ->";
  for (std::size_t i = 0; i < board.types.size(); ++i) {
    text += (i == 0 ? " " : ", ") + escaped(board.types[i]);
  }
  return text;
}

Columns rows_of(const Looks& looks) {
  Columns rows({"BOARD", "OWNER", "TYPES", "KEYS", "WRITTEN", "RATE", "MEMORY"});
  for (const Board& board : looks.now.boards) {
    const auto rate = rate_of(looks, board);
    rows.add({escaped(board.name), user_text(board.owner), types_text(board),
              fmt::format("{} of {}", board.keys, board.most_keys), std::to_string(board.written),
              rate ? rate_text(rate) + "/s" : "-", bytes_text(board.memory)});
  }
  return rows;
}

json json_of(const Board& board, std::optional<double> rate) {
  json types = json::array();
  for (const std::string& type : board.types) {
    types.push_back(escaped(type));
  }
  return {{"name", escaped(board.name)},
          {"uid", board.owner},
          {"key_type", escaped(board.key_type)},
          {"types", std::move(types)},
          {"keys", board.keys},
          {"most_keys", board.most_keys},
          {"written", board.written},
          {"rate", rate ? json(*rate) : json(nullptr)},
          {"memory", board.memory}};
}

json json_of(const Looks& looks) {
  json all = json::array();
  for (const Board& board : looks.now.boards) {
    all.push_back(json_of(board, rate_of(looks, board)));
  }
  return all;
}

Result<void> list(const LooksOptions& options) {
  return look_twice(&inspect::boards, &Boards::boards, options).and_then([&](const Looks& looks) {
    return options.json ? print_json(looks, options.domain, "boards", json_of(looks))
                        : print_rows(looks, rows_of(looks));
  });
}

}  // namespace

void add_ls_boards(CLI::App& ls, int& code) {
  add_looks(ls, code, "boards", "List the blackboards of a domain, and how much is on them", &list);
}

}  // namespace tenon::cli
