#include <cli/board_text.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/clock.hpp>

#include <cli/scalar_text.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>

namespace tenon::cli {

using Json = ValueText::Json;

void add_board(CLI::App& command, BoardChoice& choice) {
  command.add_option("BOARD", choice.board, "The blackboard's name")->required();
  command.add_option("--domain", choice.domain, "Instead of TENON_DOMAIN, or your own in /dev/shm")->type_name("DIR");
}

Result<Domain> domain_of(const BoardChoice& choice) {
  struct stat status{};
  if (::stat(choice.domain.c_str(), &status) == -1) {
    Error error = os_failure("stat", errno);
    const bool missing = error == Errc::not_found;
    return fail(std::move(missing ? std::move(error).because("there is no such domain; name one with --domain")
                                  : std::move(error))
                    .on(choice.domain));
  }
  return Domain::open(choice.domain);
}

Error board_error(Error error, const BoardChoice& choice) {
  return error == Errc::not_found
             ? Error(Errc::not_found)
                   .on(choice.board)
                   .because("there is no such blackboard in " + choice.domain + "; see tenon ls boards")
             : std::move(error);
}

Result<AnyBoard> open_for_reading(const Domain& domain, const BoardChoice& choice) {
  auto board = AnyBoard::open_for_reading(domain, choice.board);
  return board ? std::move(board) : fail(board_error(std::move(board.error()), choice));
}

namespace {

std::string name_of(const StoredType& type) {
  return {type.type.name.characters, std::min<std::size_t>(type.type.name.length, sizeof type.type.name.characters)};
}

}  // namespace

Result<BoardText> BoardText::of(const AnyBoard& board) {
  return ValueText::of(board.types().key).and_then([&](ValueText keys) -> Result<BoardText> {
    BoardText texts(std::move(keys));
    for (const StoredType& type : board.types().values) {
      auto values = ValueText::of(type);
      if (!values) {
        return fail(std::move(values.error()));
      }
      texts.values_.push_back(std::move(*values));
      texts.names_.push_back(name_of(type));
    }
    return texts;
  });
}

Result<std::vector<std::byte>> BoardText::key_in(std::string_view text) const {
  if (!is_utf8(text)) {
    return fail(Error(Errc::invalid_argument).because("a key that is no UTF-8 cannot be said here"));
  }
  auto quoted = keys_.bytes_of(Json(std::string(text)).dump());
  if (quoted) {
    return quoted;
  }
  auto plain = keys_.bytes_of(text);
  return plain ? std::move(plain) : fail(std::move(plain.failed_with(Errc::corrupt) ? quoted.error() : plain.error()));
}

Json BoardText::key_json(Bytes key) const {
  const auto json = keys_.json(key);
  return json ? Json::parse(*json, nullptr, false) : Json(nullptr);
}

std::string BoardText::key_text(Bytes key) const {
  const Json json = key_json(key);
  return json.is_string() ? escaped(json.get<std::string>()) : json.dump();
}

std::string BoardText::names() const {
  std::string all;
  for (const std::string& name : names_) {
    all += (all.empty() ? "" : ", ") + escaped(name);
  }
  return all;
}

Result<std::uint32_t> BoardText::type_named(std::string_view name) const {
  const auto found = name.empty() && names_.size() == 1 ? names_.begin() : std::ranges::find(names_, name);
  if (found == names_.end()) {
    return fail(Error(Errc::invalid_argument)
                    .because(name.empty()
                                 ? "the key is new, and the board's values are of several types; say which "
                                   "with --type: " +
                                       names()
                                 : "the board has no values of type " + escaped(name) + "; it has " + names()));
  }
  return static_cast<std::uint32_t>(found - names_.begin());
}

Result<Json> json_of(const BoardText& texts, const AnyBoard& board, std::uint32_t entry, const AnyBoard::Read& read) {
  const auto type = board.type_of(entry);
  const auto value = type ? texts.values(*type).json(read.value) : fail(Error(type.error()));
  if (!value) {
    return fail(Error(value.error()));
  }
  return Json{{"key", texts.key_json(board.key(entry))},
              {"number", read.number},
              {"age", static_cast<double>(monotonic_now() - read.time) * 1e-9},
              {"writer", read.writer.hex()},
              {"value", Json::parse(*value, nullptr, false)}};
}

Result<std::string> line_of(const BoardText& texts, const AnyBoard& board, std::uint32_t entry,
                            const AnyBoard::Read& read, ValueLine form) {
  if (form == ValueLine::json) {
    return json_of(texts, board, entry, read).transform([](const Json& whole) {
      return whole.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    });
  }
  return board.type_of(entry)
      .and_then([&](std::uint32_t type) { return texts.values(type).text(read.value); })
      .transform([&](const std::string& value) {
        return (form == ValueLine::key_and_value ? texts.key_text(board.key(entry)) + "  " : "") + value + "\n";
      });
}

}  // namespace tenon::cli
