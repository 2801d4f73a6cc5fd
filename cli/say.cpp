#include <cli/say.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/sigpipe.hpp>

#include <unistd.h>

namespace tenon::cli {

void say(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = write_quietly(STDERR_FILENO, bytes_of(text));
    if (written <= 0) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string on_one_line(std::string_view message) {
  std::string line;
  while (!message.empty()) {
    const std::size_t quote = message.find('"');
    const bool quoted = quote != std::string_view::npos;
    line += escaped(message.substr(0, quote));
    line += quoted ? "\"" : "";
    message.remove_prefix(quoted ? quote + 1 : message.size());
  }
  return line;
}

}  // namespace tenon::cli
