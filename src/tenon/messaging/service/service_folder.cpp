#include <tenon/messaging/service/service_folder.hpp>

#include <tenon/base/name.hpp>
#include <tenon/messaging/service/service_layout.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/sharing.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::string_view server_prefix = "server.";
constexpr std::string_view client_prefix = "client.";
constexpr std::size_t token_digits = 16;
// An inbox that is being made, by os/domain: ".tenon-TOKEN.", then its name.
constexpr std::string_view draft_prefix = ".tenon-";
constexpr std::size_t before_drafts_name = draft_prefix.size() + token_digits + 1;
constexpr int most_turns = 64;  // each lost turn is somebody else's leaving in between

}  // namespace

std::string ServiceMember::text() const {
  return std::string(role == ServiceRole::server ? server_prefix : client_prefix) + token.hex() + "." + life.hex();
}

std::optional<ServiceMember> ServiceMember::parse(std::string_view text) {
  static_assert(server_prefix.size() == client_prefix.size());
  const bool server = text.starts_with(server_prefix);
  if ((!server && !text.starts_with(client_prefix)) || text.size() != server_prefix.size() + 2 * token_digits + 1 ||
      text[server_prefix.size() + token_digits] != '.') {
    return std::nullopt;
  }
  const auto token = Token::parse(text.substr(server_prefix.size(), token_digits));
  const auto life = Token::parse(text.substr(server_prefix.size() + token_digits + 1));
  if (!token || !life) {
    return std::nullopt;
  }
  return ServiceMember{.role = server ? ServiceRole::server : ServiceRole::client, .token = *token, .life = *life};
}

Result<Domain> ServiceFolder::open_directory(const Holder& holder, const std::string& path) {
  const auto sharing =
      holder.may_share(holder.domain_id()).and_then([&] { return Sharing::of(holder.domain().directory()); });
  if (!sharing) {
    return fail(Error(sharing.error()).on(path));
  }
  return Domain::open(path, Permissions(sharing->mode)).and_then([&](Domain made) {
    return give_to_group(made.directory(), *sharing).transform([&] { return std::move(made); });
  });
}

Result<ServiceFolder> ServiceFolder::open(const Holder& holder, std::string_view service) {
  const auto checked = Name::make(service, service_directory_prefix.size());
  if (!checked) {
    return fail(Error(checked.error()));
  }
  return open_directory(holder, holder.domain().path() + "/" + std::string(service_directory_prefix) + checked->text())
      .transform([&](Domain directory) { return ServiceFolder(holder, std::move(directory), checked->text()); });
}

Result<std::vector<std::string>> ServiceFolder::names() const {
  const int raw =
      uninterrupted([&] { return ::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); });
  if (raw == -1) {
    return errno == ENOENT ? Result<std::vector<std::string>>(std::in_place) : fail(os_failure("open", errno));
  }
  const std::unique_ptr<DIR, void (*)(DIR*)> open(::fdopendir(raw), [](DIR* opened) { ::closedir(opened); });
  if (open == nullptr) {
    const int error = errno;
    ::close(raw);
    return fail(os_failure("fdopendir", error));
  }
  std::vector<std::string> names;
  for (const dirent* entry = ::readdir(open.get()); entry != nullptr; entry = ::readdir(open.get())) {
    names.emplace_back(entry->d_name);
  }
  return names;
}

Result<std::vector<ServiceMember>> ServiceFolder::members() const {
  return names().transform([](const std::vector<std::string>& names) {
    std::vector<ServiceMember> members;
    for (const std::string& name : names) {
      if (const auto member = ServiceMember::parse(name)) {
        members.push_back(*member);
      }
    }
    return members;
  });
}

bool ServiceFolder::has_changed() noexcept {
  const std::int64_t asked = file_clock_now();
  struct stat status{};
  if (::stat(directory_.path().c_str(), &status) == -1) {
    return true;
  }
  const std::int64_t time = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  const bool changed = time != seen_time_;
  // Within one tick of their clock two changes look alike: until it has gone on, the next call says changed again.
  seen_time_ = is_past_file_time(asked, time) ? time : -1;
  return changed;
}

Result<TopicFolder> ServiceFolder::make(const ServiceMember& member) const {
  for (int turn = 0;; ++turn) {
    auto made = TopicFolder::enter_at(holder_, directory_.path() + "/" + member.text(), service_);
    if (!made.failed_with(Errc::not_found) || turn == most_turns) {
      return made;
    }
    // The last one who left has taken the directory away since it was opened.
    if (auto again = open_directory(holder_, directory_.path()); !again) {
      return fail(std::move(again.error()));
    }
  }
}

bool ServiceFolder::is_open(const ServiceMember& member) const noexcept {
  const std::string path = directory_.path() + "/" + member.text() + "/" + member.inbox().text();
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

Result<TopicFolder> ServiceFolder::enter(const ServiceMember& member) const {
  if (!is_open(member)) {
    return fail(Errc::not_found, "open");
  }
  auto folder = TopicFolder::enter_at(holder_, directory_.path() + "/" + member.text(), service_);
  if (folder && !is_open(member)) {
    folder->remove_if_empty();  // it has left since, and this may have made the directory anew
    return fail(Errc::not_found, "open");
  }
  return folder;
}

void ServiceFolder::sweep(TopicCensus& census) const {
  const auto all = names();
  for (const std::string& name : all ? *all : std::vector<std::string>()) {
    const bool draft = name.starts_with(draft_prefix);
    const auto member =
        ServiceMember::parse(std::string_view(name).substr(draft ? std::min(name.size(), before_drafts_name) : 0));
    if (!member || !census.is_gone(member->life)) {
      continue;
    }
    const std::string path = directory_.path() + "/" + name;
    if (draft) {
      ::rmdir(path.c_str());
    } else if (auto folder = TopicFolder::enter_at(holder_, path, service_)) {
      census.sweep(*folder);
      folder->remove_if_empty();
    }
  }
}

void ServiceFolder::remove_if_empty() const noexcept {
  ::rmdir(directory_.path().c_str());  // not while an inbox is there
}

}  // namespace tenon
