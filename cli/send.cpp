/// tenon send URI [FILE|-]
#include <tenon/channel/scheme.hpp>
#include <tenon/channel/sender.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>

#include <cli/command.hpp>
#include <cli/input.hpp>
#include <cli/interrupt.hpp>
#include <cli/progress.hpp>

#include <memory>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::cli {

namespace {

struct SendOptions {
  std::string uri;
  std::string file = "-";
  double timeout = 0;
  bool lines = false;
  std::optional<std::uint32_t> priority;
};

constexpr std::size_t piece_size = 256UL * 1024;

std::optional<struct stat> status_of(FdView file) {
  struct stat status{};
  return ::fstat(file.raw(), &status) == 0 ? std::optional(status) : std::nullopt;
}

// Known for regular files alone; those of /proc say 0 and have more.
std::optional<std::uint64_t> size_of(FdView file) {
  const auto status = status_of(file);
  const bool known = status && S_ISREG(status->st_mode) && status->st_size > 0;
  return known ? std::optional(static_cast<std::uint64_t>(status->st_size)) : std::nullopt;
}

// One that grows is sent as far as it has got; one that shrinks would arrive without its end and nobody would know.
Result<void> check_not_shrunk(FdView input, std::optional<std::uint64_t> size_before, const std::string& path) {
  const auto status = status_of(input);
  const bool shrunk = size_before && status && static_cast<std::uint64_t>(status->st_size) < *size_before;
  return shrunk ? fail(Error(Errc::aborted, "read")
                           .on(path)
                           .because("the file shrank from " + std::to_string(*size_before) + " to " +
                                    std::to_string(status->st_size) + " bytes while it was sent"))
                : Result<void>();
}

// A terminal or pipe may keep us waiting: Ctrl-C ends that, and so does the receiver's end, which nobody would notice
// before there is something to send.
Result<void> wait_for_input(FdView input, Sender& sender, Deadline deadline) {
  while (true) {
    auto ready = wait_ready(input, Ready::reading, deadline.or_sooner(after(recheck_interval)));
    if (ready || !ready.failed_with(Errc::timed_out) || deadline.passed()) {
      return std::move(ready).transform([](Ready) {});
    }
    if (auto there = sender.check(); !there) {
      return there;
    }
  }
}

/// Turns the input's bytes into messages: one in all, or one a line.
class Outgoing {
 public:
  Outgoing(Sender& sender, const SendOptions& options) : sender_(sender), options_(options) {}

  Result<void> add(Bytes bytes) {
    std::string_view text = text_of(bytes);
    for (std::size_t end = 0; options_.lines && (end = text.find('\n')) != std::string_view::npos;) {
      if (auto sent = end_message(text.substr(0, end)); !sent) {
        return sent;
      }
      text.remove_prefix(end + 1);
    }
    return options_.lines ? keep(text) : put(text, Sender::More::yes);
  }

  Result<void> end() {
    const bool nothing_open = options_.lines && kept_.empty() && !begun_;
    return nothing_open ? Result<void>() : end_message({});  // a last line may lack its newline
  }

 private:
  // A line goes in one piece, unless it is so long that memory would have to hold much of it.
  Result<void> keep(std::string_view text) {
    kept_ += text;
    if (kept_.size() < piece_size) {
      return {};
    }
    begun_ = true;
    auto sent = put(kept_, Sender::More::yes);
    kept_.clear();
    return sent;
  }

  Result<void> end_message(std::string_view text) {
    kept_ += text;
    auto sent = put(kept_, Sender::More::no);
    kept_.clear();
    begun_ = false;
    return sent;
  }

  Result<void> put(std::string_view text, Sender::More more) {
    const auto priority = options_.priority.value_or(0);
    // Each frame that goes is a move, after which the timeout begins anew.
    for (; options_.timeout > 0 && text.size() > sender_.piece(); text.remove_prefix(sender_.piece())) {
      const Bytes piece = bytes_of(text.substr(0, sender_.piece()));
      if (auto sent = sender_.send_part(piece, Sender::More::yes, step_deadline(options_.timeout), priority); !sent) {
        return sent;
      }
    }
    return sender_.send_part(bytes_of(text), more, step_deadline(options_.timeout), priority);
  }

  Sender& sender_;
  const SendOptions& options_;
  std::string kept_;    // of a line whose end has not been read yet
  bool begun_ = false;  // a part of that line has been sent
};

Result<void> send_all(Sender& sender, FdView input, const SendOptions& options) {
  Outgoing outgoing(sender, options);
  const auto size = size_of(input);
  Progress progress("sent", size);
  std::vector<std::byte> piece(piece_size);
  while (true) {
    if (auto ready = wait_for_input(input, sender, step_deadline(options.timeout)); !ready) {
      return fail(step_failure(std::move(ready.error()), options.file == "-" ? "standard input" : options.file,
                               "nothing has come", options.timeout));
    }
    auto got = read_input(input, piece);
    if (!got) {
      return fail(std::move(got.error()).on(options.file));
    }
    if (*got == 0) {
      return check_not_shrunk(input, size, options.file).and_then([&] { return outgoing.end(); });
    }
    if (auto sent = outgoing.add(Bytes(piece).first(*got)); !sent) {
      return sent;
    }
    progress.add(*got);
  }
}

Result<void> send(const SendOptions& options) {
  // Before anybody is waited for.
  if (auto has = options.priority ? check_has_priorities(options.uri) : Result<void>(); !has) {
    return has;
  }
  auto input = open_input(options.file);
  if (!input) {
    return fail(std::move(input.error()));
  }
  auto sender = open_sender(options.uri, step_deadline(options.timeout));
  if (!sender) {
    return fail(step_failure(std::move(sender.error()), options.uri, "no receiver has come", options.timeout));
  }
  if (auto sent = send_all(*sender, input->view(), options); !sent) {
    std::move(*sender).abort();
    return sent;
  }
  auto finished = std::move(*sender).finish(step_deadline(options.timeout));
  return finished ? Result<void>()
                  : fail(step_failure(std::move(finished.error()), options.uri,
                                      "the receiver has not said that it has everything", options.timeout));
}

}  // namespace

void add_send(CLI::App& program, int& code) {
  auto options = std::make_shared<SendOptions>();
  CLI::App* command = program.add_subcommand("send", "Send a file, or standard input, over a channel");
  command->add_option("URI", options->uri, "The channel: " + known_channels())->required();
  command->add_option("FILE", options->file, "What to send; - is standard input")->capture_default_str();
  command->add_flag("--lines", options->lines, "Send each line as a message of its own");
  command->add_option("--timeout", options->timeout, "Give up when nothing moves for that long; 0 is never")
      ->check(seconds)
      ->type_name("SECONDS");
  command
      ->add_option("--priority", options->priority, "Overtake messages of a lower priority, where the channel has them")
      ->check(CLI::Range(0U, most_priority))
      ->type_name("N");
  command->footer(
      "Example, in two terminals, in either order:\n"
      "  tenon recv fifo:/tmp/photos -o photos.tar\n"
      "  tenon send fifo:/tmp/photos photos.tar\n"
      "It ends with 0 when the receiver has said that it has everything.");
  command->callback([options, &code] {
    const auto sent = send(*options);
    code = sent ? succeeded : report("send", sent.error());
  });
}

}  // namespace tenon::cli
