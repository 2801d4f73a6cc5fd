#include <harness/command_line.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

namespace harness {

int run_program(const char* name, CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return body();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return 1;
  }
}

bool selected(const std::string& text, const std::vector<std::string>& wanted) {
  return wanted.empty() ||
         std::ranges::any_of(wanted, [&](const std::string& part) { return text.find(part) != std::string::npos; });
}

Progress::Progress(std::size_t total) : total_(total), shown_(::isatty(STDERR_FILENO) == 1) {}
Progress::~Progress() { print(""); }

void Progress::next(const std::string& name) { print(fmt::format("{}/{} {}", ++done_, total_, name)); }

void Progress::print(const std::string& text) const {
  if (shown_) {
    fmt::print(stderr, "\r\033[K{}", text);
  }
}

tenon::Result<void> write_file(const std::string& path, const std::string& text) {
  errno = 0;  // a stream tells that it failed, and not why
  std::ofstream file(path, std::ios::trunc);
  file << text << std::flush;
  return file ? tenon::Result<void>() : tenon::fail(tenon::os_failure("write", errno).on(path));
}

}  // namespace harness
