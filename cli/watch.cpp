/// tenon watch BOARD [KEY] [--json] [--count N] [--timeout SECONDS]
#include <cli/board_text.hpp>
#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/output_file.hpp>

#include <memory>
#include <optional>

namespace tenon::cli {

namespace {

struct WatchOptions {
  BoardChoice choice;
  std::optional<std::string> key;
  bool json = false;
  std::uint64_t count = 0;
  double timeout = 0;
};

class Watch {
 public:
  Watch(const AnyBoard& board, const BoardText& texts, OutputFile& output, const WatchOptions& options)
      : board_(board),
        texts_(texts),
        output_(output),
        options_(options),
        changes_(board.changes(BoardChanges::From::beginning)) {}

  // What is there at first, and then what changes; of a value that was overtaken before it was seen, the newest.
  Result<void> run(const std::optional<std::vector<std::byte>>& key) {
    for (std::uint64_t shown = 0; options_.count == 0 || shown < options_.count; ++shown) {
      const auto entry = key ? next_of(*key) : next();
      auto written = entry ? show(*entry) : fail(Error(entry.error()));
      if (!written) {
        return fail(
            step_failure(std::move(written.error()), options_.choice.board, "nothing was written", options_.timeout));
      }
    }
    return output_.commit(step_deadline(options_.timeout));
  }

 private:
  // What has come is shown before one waits for more.
  Result<std::uint32_t> next() {
    if (interrupt().requested()) {
      return fail(Errc::stopped);
    }
    auto change = changes_.next(immediately);
    if (change.failed_with(Errc::timed_out)) {
      change = flush().and_then([this] { return changes_.next(step_deadline(options_.timeout)); });
    }
    return std::move(change).transform([](const BoardChanges::Change& seen) { return seen.entry; });
  }
  // A key that is not there yet comes with some change or other.
  Result<std::uint32_t> next_of(const std::vector<std::byte>& key) {
    const Deadline deadline = step_deadline(options_.timeout);
    auto entry = board_.find(key);
    for (; !entry; entry = board_.find(key)) {
      if (interrupt().requested() || deadline.passed()) {
        return fail(interrupt().requested() ? Errc::stopped : Errc::timed_out);
      }
      if (auto change = changes_.next(deadline); !change) {
        return fail(std::move(change.error()));
      }
    }
    return flush().and_then([&] { return board_.wait(*entry, seen_, deadline); }).transform([&] { return *entry; });
  }
  Result<void> flush() { return output_.flush(step_deadline(options_.timeout)); }
  Result<void> show(std::uint32_t entry) {
    return board_.read(entry)
        .and_then([&](const AnyBoard::Read& read) {
          seen_ = read.number;
          return line_of(texts_, board_, entry, read, options_.json ? ValueLine::json : ValueLine::key_and_value);
        })
        .and_then(
            [&](const std::string& line) { return output_.write(bytes_of(line), step_deadline(options_.timeout)); });
  }

  const AnyBoard& board_;
  const BoardText& texts_;
  OutputFile& output_;
  const WatchOptions& options_;
  BoardChanges changes_;
  std::uint64_t seen_ = 0;  // of the one key
};

Result<void> watch(const WatchOptions& options) {
  interrupt();
  const auto domain = domain_of(options.choice);
  const auto board = domain ? open_for_reading(*domain, options.choice) : fail(Error(domain.error()));
  const auto texts = board ? BoardText::of(*board) : fail(Error(board.error()));
  auto key = texts && options.key
                 ? texts->key_in(*options.key).transform([](auto bytes) { return std::optional(bytes); })
             : texts ? Result<std::optional<std::vector<std::byte>>>()
                     : fail(Error(texts.error()));
  auto output = key ? OutputFile::open("-", immediately) : fail(std::move(key.error()));
  if (!output) {
    return fail(std::move(output.error()));
  }
  return Watch(*board, *texts, *output, options).run(*key);
}

}  // namespace

void add_watch(CLI::App& program, int& code) {
  auto options = std::make_shared<WatchOptions>();
  CLI::App* command = program.add_subcommand("watch", "Print a blackboard's values as they change");
  add_board(*command, options->choice);
  command->add_option("KEY", options->key, "That key alone");
  command->add_flag("--json", options->json, "Print {key, number, age, writer, value}, one a line");
  command->add_option("--count", options->count, "End after so many values")->check(positive)->type_name("N");
  command->add_option("--timeout", options->timeout, "Give up when nothing changes for that long; 0 is never")
      ->check(seconds)
      ->type_name("SECONDS");
  command->footer(
      "Example:\n"
      "  tenon watch prices --json --count 10\n"
      "It begins with what is there, then looks 20 times a second; what is overtaken meanwhile is not shown. No writer "
      "notices it.");
  command->callback([options, &code] {
    const auto watched = watch(*options);
    code = watched ? succeeded : report("watch", watched.error());
  });
}

}  // namespace tenon::cli
