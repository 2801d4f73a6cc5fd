#include <tenon/inspect/patterns/topics.hpp>

#include <tenon/base/name.hpp>
#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/inspect/patterns/endpoint_reader.hpp>
#include <tenon/inspect/patterns/lives.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <numeric>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

Result<std::vector<std::string>> names_in(FdView directory) {
  const int raw = uninterrupted([&] { return ::openat(directory.raw(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  const std::unique_ptr<DIR, void (*)(DIR*)> open(raw == -1 ? nullptr : ::fdopendir(raw),
                                                  [](DIR* opened) { ::closedir(opened); });
  if (open == nullptr) {
    const int error = errno;
    if (raw != -1) {
      ::close(raw);
    }
    return fail(os_failure("opendir", error));
  }
  std::vector<std::string> names;
  for (const dirent* entry = ::readdir(open.get()); entry != nullptr; entry = ::readdir(open.get())) {
    names.emplace_back(entry->d_name);
  }
  std::ranges::sort(names);
  return names;
}

/// What is read of one topic.
class TopicReader {
 public:
  TopicReader(Lives& lives, Topics& into) : lives_(lives), into_(into) {}

  // Nobody takes part: nothing is added. Outcomes: not_found. Failures: of opening its directory.
  Result<void> read(FdView domain, const std::string& directory_name, std::size_t prefix) {
    const auto directory = fd_from(uninterrupted([&] {
                                     return ::openat(domain.raw(), directory_name.c_str(),
                                                     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                                   }),
                                   "open");
    const auto names = directory ? names_in(directory->view()) : fail(Error(directory.error()));
    if (!names) {
      return fail(Error(names.error()));
    }
    topic_ = {.name = directory_name.substr(prefix), .publishers = {}, .subscribers = {}};
    heads_.clear();
    // Publishers first: a message that is received meanwhile is no lag.
    read_all(directory->view(), *names, EndpointFile::Kind::publisher);
    read_all(directory->view(), *names, EndpointFile::Kind::subscriber);
    if (!topic_.publishers.empty() || !topic_.subscribers.empty()) {
      into_.topics.push_back(std::move(topic_));
    }
    return {};
  }
  // One of many: that it could not be read is told beside the others.
  void read_or_miss(FdView domain, const std::string& directory_name) {
    if (const auto done = read(domain, directory_name, topic_directory_prefix.size()); !done) {
      miss(directory_name, done.error());
    }
  }

 private:
  // What went away meanwhile is no news.
  void miss(const std::string& what, const Error& error) {
    if (!(error == Errc::not_found)) {
      into_.unseen.push_back(what + ": " + error.message());
    }
  }
  void read_all(FdView directory, const std::vector<std::string>& names, EndpointFile::Kind kind) {
    for (const std::string& name : names) {
      const auto parsed = EndpointFile::parse(name);
      if (!parsed || parsed->kind != kind) {
        continue;
      }
      const auto file = EndpointFile::open(directory, name, *parsed);
      auto added = !file                                   ? Result<void>(fail(Error(file.error())))
                   : kind == EndpointFile::Kind::publisher ? add_publisher(*file)
                                                           : add_subscriber(*file);
      if (!added) {
        miss(topic_.name + "/" + name, added.error());
      }
    }
  }
  // Who leaves takes its files back before: one that is gone and whose file has no name any more left, and is none of
  // the dead. Outcomes: not_found.
  Result<bool> is_gone(const EndpointFile& file) {
    const bool gone = lives_.is_gone(file.life());
    return gone && !file.has_name() ? Result<bool>(fail(Errc::not_found)) : gone;
  }
  Result<void> add_publisher(const EndpointFile& file) {
    const auto seen = read_publisher(file);
    if (!seen) {
      return fail(Error(seen.error()));
    }
    const auto gone = is_gone(file);
    if (!gone) {
      return fail(Error(gone.error()));
    }
    topic_.publishers.push_back({.token = file.token().value(),
                                 .life = file.life().value(),
                                 .pid = seen->head.pid,
                                 .uid = seen->head.uid,
                                 .standing = seen->closed ? EndpointStanding::closed
                                             : *gone      ? EndpointStanding::died
                                                          : EndpointStanding::alive,
                                 .type = seen->type.name,
                                 .type_bytes = seen->type.bytes,
                                 .published = seen->next - seen->first,
                                 .depth = seen->depth,
                                 .memory = file.memory(),
                                 .sizes = seen->sizes});
    heads_.emplace_back(file.token().value(), seen->next);
    return {};
  }
  Result<void> add_subscriber(const EndpointFile& file) {
    auto seen = read_subscriber(file, heads_);
    if (!seen) {
      return fail(std::move(seen.error()));
    }
    const auto gone = is_gone(file);
    if (!gone) {
      return fail(Error(gone.error()));
    }
    const std::int64_t now = monotonic_now();
    const bool waits = seen->waits_since > 0 && seen->waits_since <= now;
    topic_.subscribers.push_back({.token = file.token().value(),
                                  .life = file.life().value(),
                                  .pid = seen->head.pid,
                                  .uid = seen->head.uid,
                                  .standing = *gone ? EndpointStanding::died : EndpointStanding::alive,
                                  .type = seen->type.name,
                                  .reliable = seen->reliable,
                                  .max_held = seen->max_held,
                                  .waits_for = waits ? std::optional(now - seen->waits_since) : std::nullopt,
                                  .memory = file.memory(),
                                  .standings = std::move(seen->standings)});
    return {};
  }

  Lives& lives_;
  Topics& into_;
  Topic topic_;
  std::vector<PublisherHead> heads_;
};

// What there is to do about a topic's directory that cannot be looked into.
Error with_remedy(Error error) {
  switch (error.code()) {
    case Errc::wrong_kind:
      return std::move(error).because("what has the topic's name there is no directory: remove it");
    case Errc::permission_denied:
      return std::move(error).because("it is another user's: ask its owner for the right to read it");
    default:
      return error;
  }
}

}  // namespace

const char* name_of(EndpointStanding standing) noexcept {
  switch (standing) {
    case EndpointStanding::closed:
      return "closed";
    case EndpointStanding::died:
      return "died";
    default:
      return "alive";
  }
}

std::string Topic::type() const {
  const auto lives = [](const auto& one) { return one.standing == EndpointStanding::alive; };
  if (const auto one = std::ranges::find_if(publishers, lives); one != publishers.end()) {
    return one->type;
  }
  const auto one = std::ranges::find_if(subscribers, lives);
  return one != subscribers.end() ? one->type : "";
}

std::uint64_t Topic::lag() const noexcept {
  std::uint64_t most = 0;
  for (const TopicSubscriber& one : subscribers) {
    for (const TopicStanding& standing : one.standings) {
      most = one.standing == EndpointStanding::alive ? std::max(most, standing.lag) : most;
    }
  }
  return most;
}

std::uint64_t Topic::memory() const noexcept {
  const auto add = [](std::uint64_t sum, const auto& one) { return sum + one.memory; };
  return std::accumulate(subscribers.begin(), subscribers.end(),
                         std::accumulate(publishers.begin(), publishers.end(), std::uint64_t{0}, add), add);
}

Result<Topics> topics(const std::string& domain) {
  return open_domain_directory(domain).and_then([](const Fd& opened) {
    return names_in(opened.view()).transform([&](const std::vector<std::string>& names) {
      Topics all{.topics = {}, .unseen = {}, .at = monotonic_now()};
      Lives lives(opened.view());
      TopicReader reader(lives, all);
      for (const std::string& name : names) {
        if (name.starts_with(topic_directory_prefix)) {
          reader.read_or_miss(opened.view(), name);
        }
      }
      return all;
    });
  });
}

Result<Topics> endpoints_in(FdView parent, const std::string& directory, Lives& lives) {
  Topics all{.topics = {}, .unseen = {}, .at = monotonic_now()};
  auto read = TopicReader(lives, all).read(parent, directory, 0);
  return read ? Result<Topics>(std::move(all)) : fail(std::move(read.error()));
}

Result<Topics> topic(const std::string& domain, const std::string& name) {
  const auto checked = Name::make(name, topic_directory_prefix.size());
  if (!checked) {
    return fail(Error(checked.error()));
  }
  return open_domain_directory(domain).and_then([&](const Fd& opened) -> Result<Topics> {
    Topics all{.topics = {}, .unseen = {}, .at = monotonic_now()};
    Lives lives(opened.view());
    const std::string directory = std::string(topic_directory_prefix) + name;
    const auto read = TopicReader(lives, all).read(opened.view(), directory, topic_directory_prefix.size());
    if (!read && !read.failed_with(Errc::not_found)) {
      return fail(with_remedy(Error(read.error())).on(domain + "/" + directory));
    }
    if (all.topics.empty() && all.unseen.empty()) {
      return fail(Error(Errc::not_found).on(name).because("nobody takes part in this topic of " + domain));
    }
    return all;
  });
}

double rate_of(const TopicPublisher& publisher, const Topic& before, double seconds) noexcept {
  const auto known = std::ranges::find(before.publishers, publisher.token, &TopicPublisher::token);
  const std::uint64_t from = known != before.publishers.end() ? known->published : 0;
  const auto gained = static_cast<std::int64_t>(publisher.published - from);
  return gained > 0 && seconds > 0 ? static_cast<double>(gained) / seconds : 0;
}

double rate_of(const Topic& now, const Topic& before, double seconds) noexcept {
  return std::accumulate(now.publishers.begin(), now.publishers.end(), 0.0,
                         [&](double sum, const TopicPublisher& one) { return sum + rate_of(one, before, seconds); });
}

}  // namespace tenon::inspect
