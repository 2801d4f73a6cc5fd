/// tenon get BOARD [KEY] [--json]
#include <cli/board_text.hpp>
#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/output_file.hpp>

#include <memory>
#include <optional>

namespace tenon::cli {

namespace {

struct GetOptions {
  BoardChoice choice;
  std::optional<std::string> key;
  bool json = false;
};

class Get {
 public:
  Get(const AnyBoard& board, const BoardText& texts, OutputFile& output, const GetOptions& options)
      : board_(board), texts_(texts), output_(output), options_(options) {}

  Result<void> one() {
    const auto key = texts_.key_in(*options_.key);
    if (!key) {
      return fail(Error(key.error()).on(*options_.key));
    }
    const auto entry = board_.find(*key);
    if (!entry || board_.number_of(*entry) == 0) {
      return fail(Error(Errc::not_found)
                      .on(*options_.key)
                      .because("nothing was written to that key of " + options_.choice.board + " yet; tenon get " +
                               options_.choice.board + " shows all"));
    }
    return show(*entry, false).and_then([&] { return output_.commit(step_deadline(0)); });
  }
  // Keys that have no value yet are passed over.
  Result<void> all() {
    const std::uint32_t entries = board_.entries();
    for (std::uint32_t entry = 0; entry < entries; ++entry) {
      if (interrupt().requested()) {
        return fail(step_failure(Error(Errc::stopped), options_.choice.board, "", 0));
      }
      auto shown = show(entry, true);
      if (!shown && !shown.failed_with(Errc::not_found)) {
        return shown;
      }
    }
    return output_.commit(step_deadline(0));
  }

 private:
  Result<void> show(std::uint32_t entry, bool with_key) {
    const auto read = board_.read(entry);
    if (!read) {
      return fail(Error(read.error()));
    }
    const ValueLine form = options_.json ? ValueLine::json : with_key ? ValueLine::key_and_value : ValueLine::value;
    return line_of(texts_, board_, entry, *read, form).and_then([&](const std::string& line) {
      return output_.write(bytes_of(line), step_deadline(0));
    });
  }

  const AnyBoard& board_;
  const BoardText& texts_;
  OutputFile& output_;
  const GetOptions& options_;
};

Result<void> get(const GetOptions& options) {
  const auto domain = domain_of(options.choice);
  const auto board = domain ? open_for_reading(*domain, options.choice) : fail(Error(domain.error()));
  const auto texts = board ? BoardText::of(*board) : fail(Error(board.error()));
  auto output = texts ? OutputFile::open("-", immediately) : fail(Error(texts.error()));
  if (!output) {
    return fail(std::move(output.error()));
  }
  Get get(*board, *texts, *output, options);
  return options.key ? get.one() : get.all();
}

}  // namespace

void add_get(CLI::App& program, int& code) {
  auto options = std::make_shared<GetOptions>();
  CLI::App* command = program.add_subcommand("get", "Print the latest value of a blackboard's key, or of all");
  add_board(*command, options->choice);
  command->add_option("KEY", options->key, "The key; all of them without it");
  command->add_flag("--json", options->json, "Print {key, number, age, writer, value}, one a line");
  command->footer(
      "Example:\n"
      "  tenon get prices ACME --json\n"
      "It joins nothing and writes nothing.");
  command->callback([options, &code] {
    const auto shown = get(*options);
    code = shown ? succeeded : report("get", shown.error());
  });
}

}  // namespace tenon::cli
