/// tenon recv URI [-o FILE]
#include <tenon/base/name.hpp>
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/scheme.hpp>

#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/output_file.hpp>
#include <cli/progress.hpp>

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace tenon::cli {

namespace {

struct RecvOptions {
  std::string uri;
  std::string file;
  double timeout = 0;
  bool lines = false;
  std::optional<uid_t> from;
};

Result<void> write_part(OutputFile& output, const Part& part, const RecvOptions& options) {
  auto written = output.write(part.data, step_deadline(options.timeout));
  const bool ends_line = written && options.lines && part.last;
  return ends_line ? output.write(bytes_of("\n"), step_deadline(options.timeout)) : written;
}

// Until every sender has said its end.
Result<void> receive_all(Receiver& receiver, OutputFile& output, const RecvOptions& options) {
  Progress progress("received", std::nullopt);
  while (true) {
    // What has come is shown before a wait: whoever reads standard output may be waiting for it.
    const bool unshown = output.has_unwritten();
    auto part = receiver.receive_part(unshown ? immediately.or_stop(interrupt()) : step_deadline(options.timeout));
    if (unshown && part.failed_with(Errc::timed_out)) {
      if (auto flushed = output.flush(step_deadline(options.timeout)); !flushed) {
        return flushed;
      }
      continue;
    }
    if (part.failed_with(Errc::closed)) {
      return {};
    }
    if (!part) {
      return fail(step_failure(std::move(part.error()), options.uri, "nothing has come", options.timeout));
    }
    if (auto written = write_part(output, *part, options); !written) {
      return written;
    }
    progress.add(part->data.size());
  }
}

Fail say_partial(Error error, OutputFile& output) {
  const std::string partial = output.leave_partial();
  if (!partial.empty()) {
    std::string detail(error.detail());
    detail += detail.empty() ? "" : "; ";
    return fail(std::move(error).because(detail + "what came is in " + escaped(partial)));
  }
  return fail(std::move(error));
}

// "uid:N", as the kernel knows users.
uid_t user_in(const std::string& text) {
  constexpr std::string_view kind = "uid:";
  uid_t user = 0;
  const char* const end = text.data() + text.size();
  const auto digits = text.starts_with(kind) ? std::from_chars(text.data() + kind.size(), end, user)
                                             : std::from_chars_result{.ptr = end, .ec = std::errc::invalid_argument};
  if (digits.ec != std::errc() || digits.ptr != end) {
    throw CLI::ValidationError("--from", "wants uid:N, as in --from uid:1000");
  }
  return user;
}

Result<void> recv(const RecvOptions& options) {
  if (auto checked = OutputFile::check(options.file); !checked) {
    return checked;
  }
  if (auto vouches = options.from ? check_vouches(options.uri) : Result<void>(); !vouches) {
    return vouches;
  }
  auto receiver = open_receiver(options.uri, step_deadline(options.timeout));
  if (!receiver) {
    return fail(step_failure(std::move(receiver.error()), options.uri, "no sender has come", options.timeout));
  }
  if (auto only = options.from ? receiver->accept_only(*options.from) : Result<void>(); !only) {
    return only;
  }
  auto output = OutputFile::open(options.file, step_deadline(options.timeout));
  if (!output) {
    std::move(*receiver).abandon();
    return fail(std::move(output.error()));
  }
  // The sender is told only when the file stands under its name.
  auto received =
      receive_all(*receiver, *output, options).and_then([&] { return output->commit(step_deadline(options.timeout)); });
  if (!received) {
    std::move(*receiver).abandon();
    return say_partial(std::move(received.error()), *output);
  }
  return std::move(*receiver).finish(step_deadline(options.timeout));
}

}  // namespace

void add_recv(CLI::App& program, int& code) {
  auto options = std::make_shared<RecvOptions>();
  CLI::App* command = program.add_subcommand("recv", "Receive what is sent over a channel");
  command->add_option("URI", options->uri, "The channel: " + known_channels())->required();
  command->add_option("-o,--output", options->file, "Where to put it, whole or not at all; without it, standard output")
      ->type_name("FILE");
  command->add_flag("--lines", options->lines, "Print each message as a line");
  command->add_option("--timeout", options->timeout, "Give up when nothing moves for that long; 0 is never")
      ->check(seconds)
      ->type_name("SECONDS");
  command
      ->add_option_function<std::string>(
          "--from", [options](const std::string& text) { options->from = user_in(text); },
          "Receive from this user's processes alone, where the kernel vouches for senders")
      ->type_name("uid:N");
  command->footer(
      "Example, in two terminals, in either order:\n"
      "  tenon recv fifo:/tmp/photos -o photos.tar\n"
      "  tenon send fifo:/tmp/photos photos.tar\n"
      "If the sender dies half-way, what came is kept in FILE.partial and the exit code is 1.");
  command->callback([options, &code] {
    const auto received = recv(*options);
    code = received ? succeeded : report("recv", received.error());
  });
}

}  // namespace tenon::cli
