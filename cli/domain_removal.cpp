#include <cli/domain_removal.hpp>

#include <tenon/channel/rendezvous.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/messaging/blackboard/board_file.hpp>
#include <tenon/messaging/queue/queue_file.hpp>
#include <tenon/messaging/service/service_folder.hpp>
#include <tenon/messaging/stream/stream_file.hpp>
#include <tenon/messaging/topic/topic_census.hpp>
#include <tenon/messaging/topic/topic_folder.hpp>
#include <tenon/os/life_peer.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/sync/membership.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace tenon::cli {

namespace {

using inspect::DomainLeftover;
using inspect::DomainPart;

// Entering a directory makes it: who comes after another cleaner must not.
Result<void> check_there(const Domain& domain, const std::string& file) {
  struct stat status{};
  return ::fstatat(domain.directory().raw(), file.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0
             ? Result<void>()
             : fail(os_failure("fstatat", errno).on(file));
}

Result<void> remove_lives(const Domain& domain) {
  return sweep(domain).transform([](const Swept&) {});
}

Result<void> remove_channels(const Domain& domain) {
  ObjectKeeper keeper;
  keeper.remove = remove_channel_object;
  Rendezvous::sweep(domain, keeper);
  return {};
}

Result<void> remove_from_topic(const Membership& member, const std::string& name) {
  return check_there(*member.domain, std::string(topic_directory_prefix) + name)
      .and_then([&] { return TopicFolder::enter(member.holder, name); })
      .transform([&](TopicFolder folder) {
        TopicCensus census(member.holder);
        census.sweep(folder);
        folder.remove_if_empty();
      });
}

Result<void> remove_from_service(const Membership& member, const std::string& name) {
  return check_there(*member.domain, "service." + name)
      .and_then([&] { return ServiceFolder::open(member.holder, name); })
      .transform([&](const ServiceFolder& folder) {
        TopicCensus census(member.holder);
        folder.sweep(census);
        folder.remove_if_empty();
      });
}

// Its name goes under the lock of that very file, and only while it leads there.
Result<void> remove_stream_end(const Domain& domain, const std::string& name, StreamRole role) {
  return StreamFileName::make(role, name)
      .and_then([&](const StreamFileName& file) { return OtherStreamFile::open(domain, file); })
      .and_then([&](const OtherStreamFile& file) -> Result<void> {
        const auto standing = standing_of(domain, Token::from(file.header().life));
        if (!standing || *standing == Standing::alive) {
          return standing ? fail(Error(Errc::stale).on(name).because("its owner lives"))
                          : fail(Error(standing.error()));
        }
        return file.remove_name(domain.directory());
      });
}

Result<void> remove_stream(const Domain& domain, const std::string& name) {
  auto done = Result<void>(fail(Error(Errc::not_found).on(name)));
  for (const StreamRole role : {StreamRole::writer, StreamRole::reader}) {
    auto removed = remove_stream_end(domain, name, role);
    if (!removed && !removed.failed_with(Errc::not_found)) {
      return removed;
    }
    done = removed ? std::move(removed) : std::move(done);
  }
  return done;
}

Result<void> as_member(Domain domain, Result<void> (*remove)(const Membership&, const std::string&),
                       const std::string& name) {
  return Membership::join(std::make_shared<const Domain>(std::move(domain))).and_then([&](const Membership& member) {
    return remove(member, name);
  });
}

Result<void> remove_from(Domain domain, const DomainLeftover& part) {
  switch (part.part) {
    case DomainPart::life:
      return remove_lives(domain);
    case DomainPart::channel:
      return remove_channels(domain);
    case DomainPart::topic:
      return as_member(std::move(domain), remove_from_topic, part.name);
    case DomainPart::service:
      return as_member(std::move(domain), remove_from_service, part.name);
    case DomainPart::stream:
      return remove_stream(domain, part.name);
    default:
      return fail(Error(Errc::permission_denied).on(part.name).because("it stays until somebody removes it by name"));
  }
}

Result<void> remove_named(Domain domain, const DomainLeftover& part) {
  switch (part.part) {
    case DomainPart::queue:
      return QueueFile::remove(domain, part.name);
    case DomainPart::board:
      return BoardFile::remove(domain, part.name);
    default:
      return remove_from(std::move(domain), part);
  }
}

// By their inodes, 0 where there is none: a name may be somebody's new file by the time that it is looked at again.
std::vector<ino_t> inodes_of(FdView directory, const std::vector<std::string>& files) {
  std::vector<ino_t> inodes;
  for (const std::string& file : files) {
    struct stat status{};
    const bool there = ::fstatat(directory.raw(), file.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    inodes.push_back(there ? status.st_ino : 0);
  }
  return inodes;
}

// Why something stays, although nothing that was to take it away has failed.
Error why_it_stays(const std::string& domain, const DomainLeftover& part, const std::string& file) {
  const auto now = inspect::domain_part(domain, part.part, part.name);
  const bool lives = now && now->judgement.verdict == inspect::LeftoverVerdict::in_use;
  return lives ? Error(Errc::stale).on(part.name).because("somebody who lives takes part in it by now")
               : Error(Errc::would_block)
                     .on(file)
                     .because("it is still there: somebody keeps it locked, or has put into it what is none of it");
}

// Sweeps pass over what they may not take away, and say nothing. So it is looked at again.
Result<void> remove_and_look(const std::string& domain, const DomainLeftover& part,
                             Result<void> (*remove)(Domain, const DomainLeftover&)) {
  return Domain::open(domain).and_then([&](Domain opened) -> Result<void> {
    const auto directory = inspect::open_domain_directory(domain);
    if (!directory) {
      return fail(Error(directory.error()));
    }
    const auto before = inodes_of(directory->view(), part.files);
    auto done = remove(std::move(opened), part);
    const auto after = inodes_of(directory->view(), part.files);
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (after[i] != 0 && after[i] == before[i] && (done || done.failed_with(Errc::not_found))) {
        return fail(why_it_stays(domain, part, part.files[i]));
      }
    }
    return done;
  });
}

}  // namespace

Result<void> remove_left_over(const std::string& domain, const DomainLeftover& part) {
  return remove_and_look(domain, part, remove_from);
}

Result<void> remove_part(const std::string& domain, const DomainLeftover& part) {
  return remove_and_look(domain, part, remove_named);
}

}  // namespace tenon::cli
