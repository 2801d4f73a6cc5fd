/// tenon set BOARD KEY VALUE [--type NAME] [--timeout SECONDS]
#include <tenon/sync/membership.hpp>

#include <cli/board_text.hpp>
#include <cli/command.hpp>
#include <cli/interrupt.hpp>

#include <memory>

namespace tenon::cli {

namespace {

struct SetOptions {
  BoardChoice choice;
  std::string key;
  std::string value;
  std::string type;
  double timeout = 5;
};

// That of the key, else the one asked for.
Result<std::uint32_t> type_for(const AnyBoard& board, const BoardText& texts, Bytes key, const SetOptions& options) {
  const auto entry = board.find(key);
  if (!entry || !options.type.empty()) {
    return texts.type_named(options.type);
  }
  return board.type_of(*entry);
}

Result<void> set(AnyBoard& board, const SetOptions& options) {
  const auto texts = BoardText::of(board);
  const auto key = texts ? texts->key_in(options.key) : fail(Error(texts.error()));
  if (!key) {
    return fail(Error(key.error()).on(options.key));
  }
  const auto type = type_for(board, *texts, *key, options);
  const auto value = type ? texts->values(*type).bytes_of(options.value) : fail(Error(type.error()));
  if (!value) {
    return fail(Error(value.error()).on(options.key));
  }
  auto written = board.write(*key, *type, *value, step_deadline(options.timeout));
  if (written.failed_with(Errc::type_mismatch)) {
    return fail(Error(Errc::type_mismatch)
                    .on(options.key)
                    .because("the key's values are of another type than " + options.type + "; leave --type out"));
  }
  return written ? Result<void>()
                 : fail(step_failure(std::move(written.error()), options.choice.board + "/" + options.key,
                                     "another process is writing there", options.timeout));
}

Result<void> set(const SetOptions& options) {
  interrupt();  // from here on a signal leaves nothing behind
  auto domain = domain_of(options.choice);
  auto member = domain ? Membership::join(std::make_shared<const Domain>(std::move(*domain)))
                       : Result<Membership>(fail(std::move(domain.error())));
  if (!member) {
    return fail(std::move(member.error()));
  }
  auto board = AnyBoard::open(member->holder, options.choice.board);
  return board ? set(*board, options) : fail(board_error(std::move(board.error()), options.choice));
}

}  // namespace

void add_set(CLI::App& program, int& code) {
  auto options = std::make_shared<SetOptions>();
  CLI::App* command = program.add_subcommand("set", "Write a value to a blackboard's key");
  add_board(*command, options->choice);
  command->add_option("KEY", options->key, "The key, which is added if it is not there")->required();
  command->add_option("VALUE", options->value, "The value as JSON, with each of its members")->required();
  command->add_option("--type", options->type, "Of a new key, where the board's values are of several types")
      ->type_name("NAME");
  command->add_option("--timeout", options->timeout, "Give up when another writes the key for that long; 0 is never")
      ->check(seconds)
      ->capture_default_str()
      ->type_name("SECONDS");
  command->footer(
      "Example:\n"
      "  tenon set prices ACME '{\"bid\": 41, \"ask\": 42}'\n"
      "The board is made by the programs that know its types.");
  command->callback([options, &code] {
    const auto written = set(*options);
    code = written ? succeeded : report("set", written.error());
  });
}

}  // namespace tenon::cli
