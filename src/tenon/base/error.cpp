#include <tenon/base/error.hpp>

#include <tenon/base/name.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tenon {

struct Error::Story {
  std::string object;
  std::string detail;
  std::unique_ptr<Limit> limit;

  Story() = default;
  Story(const Story& other)
      : object(other.object),
        detail(other.detail),
        limit(other.limit ? std::make_unique<Limit>(*other.limit) : nullptr) {}
};

namespace {

struct Row {
  Errc code;
  std::string_view name;
};

constexpr std::array names = {
    Row{Errc::timed_out, "timed_out"},
    Row{Errc::would_block, "would_block"},
    Row{Errc::stopped, "stopped"},
    Row{Errc::closed, "closed"},
    Row{Errc::not_found, "not_found"},
    Row{Errc::already_exists, "already_exists"},
    Row{Errc::owner_died, "owner_died"},
    Row{Errc::not_recoverable, "not_recoverable"},
    Row{Errc::message_too_long, "message_too_long"},
    Row{Errc::lagged, "lagged"},
    Row{Errc::stale, "stale"},
    Row{Errc::no_peer, "no_peer"},
    Row{Errc::peer_died, "peer_died"},
    Row{Errc::aborted, "aborted"},
    Row{Errc::invalid_name, "invalid_name"},
    Row{Errc::invalid_argument, "invalid_argument"},
    Row{Errc::permission_denied, "permission_denied"},
    Row{Errc::limit_reached, "limit_reached"},
    Row{Errc::no_space, "no_space"},
    Row{Errc::no_memory, "no_memory"},
    Row{Errc::not_supported, "not_supported"},
    Row{Errc::corrupt, "corrupt"},
    Row{Errc::version_mismatch, "version_mismatch"},
    Row{Errc::type_mismatch, "type_mismatch"},
    Row{Errc::wrong_kind, "wrong_kind"},
    Row{Errc::in_child, "in_child"},
    Row{Errc::io_error, "io_error"},
    Row{Errc::deadlock, "deadlock"},
};

struct Mapped {
  int os_error;
  Errc code;
};

// Only meanings that hold for every call; a call with its own reading (EINVAL as a limit, EPIPE) maps it itself.
constexpr std::array by_errno = {
    Mapped{EAGAIN, Errc::would_block},
    Mapped{ETIMEDOUT, Errc::timed_out},
    Mapped{EPIPE, Errc::closed},
    Mapped{ECONNRESET, Errc::closed},
    Mapped{ENOENT, Errc::not_found},
    Mapped{ESRCH, Errc::not_found},
    Mapped{EEXIST, Errc::already_exists},
    Mapped{EADDRINUSE, Errc::already_exists},
    Mapped{EOWNERDEAD, Errc::owner_died},
    Mapped{ENOTRECOVERABLE, Errc::not_recoverable},
    Mapped{EMSGSIZE, Errc::message_too_long},
    Mapped{ENXIO, Errc::no_peer},
    Mapped{ECONNREFUSED, Errc::no_peer},
    Mapped{ENAMETOOLONG, Errc::invalid_name},
    Mapped{EINVAL, Errc::invalid_argument},
    Mapped{EACCES, Errc::permission_denied},
    Mapped{EPERM, Errc::permission_denied},
    Mapped{EMFILE, Errc::limit_reached},
    Mapped{ENFILE, Errc::limit_reached},
    Mapped{EDQUOT, Errc::limit_reached},
    Mapped{ENOSPC, Errc::no_space},
    Mapped{ENOMEM, Errc::no_memory},
    Mapped{ENOBUFS, Errc::no_memory},
    Mapped{ENOSYS, Errc::not_supported},
    Mapped{EOPNOTSUPP, Errc::not_supported},
    Mapped{EDEADLK, Errc::deadlock},
    Mapped{ELOOP, Errc::permission_denied},
    Mapped{ENOTDIR, Errc::wrong_kind},
    Mapped{EISDIR, Errc::wrong_kind},
};

}  // namespace

std::string_view name_of(Errc code) noexcept {
  for (const Row& row : names) {
    if (row.code == code) {
      return row.name;
    }
  }
  return "unknown";
}

Errc errc_of(int os_error) noexcept {
  for (const Mapped& row : by_errno) {
    if (row.os_error == os_error) {
      return row.code;
    }
  }
  return Errc::io_error;
}

Error os_failure(const char* call, int os_error) { return Error(errc_of(os_error), call, os_error); }

std::string_view Error::object() const noexcept { return story_ ? std::string_view(story_->object) : ""; }
std::string_view Error::detail() const noexcept { return story_ ? std::string_view(story_->detail) : ""; }
const Limit* Error::limit() const noexcept { return story_ ? story_->limit.get() : nullptr; }

// Copies of an error share their story, so a change makes its own first.
Error::Story& Error::story() {
  if (!story_) {
    story_ = std::make_shared<Story>();
  } else if (story_.use_count() > 1) {
    story_ = std::make_shared<Story>(*story_);
  }
  return *story_;
}

Error Error::on(std::string_view object) && {
  story().object = object;
  return std::move(*this);
}

Error Error::because(std::string_view detail) && {
  story().detail = detail;
  return std::move(*this);
}

Error Error::with(Limit limit) && {
  story().limit = std::make_unique<Limit>(std::move(limit));
  return std::move(*this);
}

std::string Error::message() const {
  std::string text = call_;
  if (!object().empty()) {
    text += text.empty() ? "\"" : "(\"";
    text += escaped(object());
    text += call_[0] == '\0' ? "\"" : "\")";
  }
  if (!text.empty()) {
    text += ": ";
  }
  for (char letter : name_of(code_)) {
    text += letter == '_' ? ' ' : letter;
  }
  if (os_error_ != 0 && errc_of(os_error_) == Errc::io_error) {
    text += " (";
    text += std::strerror(os_error_);
    text += ')';
  }
  if (!detail().empty()) {
    text += ": ";
    text += detail();
  }
  if (const Limit* reached = limit()) {
    text += ": " + reached->name + " is " + std::to_string(reached->value) + ", " + std::to_string(reached->wanted) +
            " wanted";
    if (!reached->remedy.empty()) {
      text += "; " + reached->remedy;
    }
  }
  return text;
}

}  // namespace tenon
