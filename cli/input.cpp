#include <cli/input.hpp>

#include <tenon/os/poll.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::cli {

namespace {

constexpr std::size_t piece_size = 64UL * 1024;

}  // namespace

Result<Fd> open_input(const std::string& path) {
  auto file = path == "-" ? FdView(STDIN_FILENO).duplicate()
                          : fd_from(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }), "open");
  if (!file) {
    return fail(std::move(file.error()).on(path == "-" ? "standard input" : path));
  }
  struct stat status{};
  if (::fstat(file->view().raw(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return fail(Error(Errc::wrong_kind, "open").on(path).because("it is a directory"));
  }
  return file;
}

Result<std::size_t> read_input(FdView input, MutableBytes into) {
  const ssize_t got = uninterrupted([&] { return ::read(input.raw(), into.data(), into.size()); });
  if (got == -1) {
    return fail(os_failure("read", errno));
  }
  return static_cast<std::size_t>(got);
}

constexpr std::size_t longest_line = 256 << 20;

Result<std::string_view> InputLines::next(Deadline deadline) {
  while (true) {
    const std::size_t end = kept_.find('\n', searched_);
    if (end != std::string::npos || (ended_ && at_ < kept_.size())) {
      const std::size_t stop = std::min(end, kept_.size());
      const std::string_view line = std::string_view(kept_).substr(at_, stop - at_);
      at_ = searched_ = std::min(stop + 1, kept_.size());
      ++number_;
      return line;
    }
    if (ended_) {
      return fail(Errc::closed, "read");
    }
    kept_.erase(0, std::exchange(at_, 0));
    if (kept_.size() > longest_line) {
      return fail(Error(Errc::message_too_long, "read").because("a line has more than 256 MiB"));
    }
    const std::size_t before = searched_ = kept_.size();
    if (auto ready = wait_ready(input_.view(), Ready::reading, deadline); !ready) {
      return fail(std::move(ready.error()));
    }
    kept_.resize(before + piece_size);
    const auto got = read_input(input_.view(), std::as_writable_bytes(std::span(kept_)).subspan(before));
    kept_.resize(before + got.value_or(0));
    if (!got) {
      return fail(Error(got.error()));
    }
    ended_ = *got == 0;
  }
}

}  // namespace tenon::cli
