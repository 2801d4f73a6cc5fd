#include <tenon/inspect/leftovers/domain_takers.hpp>

#include <tenon/base/file_identity.hpp>
#include <tenon/channel/rendezvous_layout.hpp>
#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/inspect/patterns/endpoint_reader.hpp>
#include <tenon/messaging/service/service_layout.hpp>
#include <tenon/messaging/stream/stream_layout.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <fcntl.h>
#include <optional>

namespace tenon::inspect {

namespace {

constexpr std::size_t token_digits = 16;
constexpr std::uint64_t most_uri = rendezvous_records_at - sizeof(RendezvousHeader);

Result<Fd> open_folder(FdView parent, const std::string& name) {
  return fd_from(uninterrupted([&] {
                   return ::openat(parent.raw(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                 }),
                 "open");
}

Error corrupt(std::string_view why) { return Error(Errc::corrupt).because(why); }

// "PREFIX.TOKEN.LIFE": who that is.
std::optional<Token> life_in(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const bool long_enough = dot != std::string_view::npos && name.size() == dot + 1 + token_digits;
  auto life = long_enough ? Token::parse(name.substr(dot + 1)) : Result<Token>(fail(Errc::invalid_argument));
  return life ? std::optional(*life) : std::nullopt;
}

// The URI, and the lives of all who are entered.
Result<std::string> read_rendezvous(const DomainFile& file, Takers& takers) {
  const auto header = file.value_at<RendezvousHeader>(0);
  if (!header || header->magic != rendezvous_magic || header->version != rendezvous_version ||
      header->uri_length > most_uri) {
    return fail(corrupt("it is no channel's file of this version"));
  }
  std::string uri(header->uri_length, '\0');
  if (!file.read(std::as_writable_bytes(std::span(uri)), sizeof(RendezvousHeader))) {
    return fail(corrupt("it is shorter than its header says"));
  }
  // What lies beyond is no record, however long somebody has made the file.
  const std::uint64_t beyond = file.size() - std::min<std::uint64_t>(file.size(), rendezvous_records_at);
  const auto records = std::min<std::uint64_t>(beyond / sizeof(RendezvousRecord), most_rendezvous_records);
  for (std::uint64_t i = 0; i < records; ++i) {
    const auto record = file.value_at<RendezvousRecord>(rendezvous_records_at + i * sizeof(RendezvousRecord));
    if (record && record->token != 0) {
      takers.add(Token::from(record->token));
    }
  }
  return uri;
}

Result<void> read_stream_end(const DomainFile& file, StreamRole role, Takers& takers) {
  const auto header = file.value_at<StreamHeader>(0);
  if (!header) {
    return fail(corrupt("it is shorter than a stream's header"));
  }
  return check_identity(identity_of(*header), {.magic = stream_magic(role), .layout_version = stream_layout_version})
      .transform([&] { takers.add(Token::from(header->life)); });
}

}  // namespace

// What went away meanwhile is no news.
void DomainTakers::miss(const std::string& what, const Error& error) {
  if (!(error == Errc::not_found)) {
    unseen_->push_back(what + ": " + error.message());
  }
}

std::vector<TakenPart> DomainTakers::channels(std::span<const std::string> names) {
  std::vector<TakenPart> parts;
  for (const std::string& name : names) {
    if (!name.starts_with(rendezvous_prefix)) {
      continue;
    }
    TakenPart part{.name = {}, .files = {name}, .takers = Takers(*lives_)};
    auto uri = DomainFile::open(directory_, name).and_then([&](const DomainFile& file) {
      return read_rendezvous(file, part.takers);
    });
    if (uri) {
      part.name = std::move(*uri);
      parts.push_back(std::move(part));
    } else {
      miss(name, uri.error());
    }
  }
  return parts;
}

std::optional<DomainTakers::OwnedFile> DomainTakers::owner_of_end(std::string_view name) {
  const bool unfinished = name.starts_with('.');
  const auto end = EndpointFile::parse(name.substr(unfinished ? 1 : 0));
  return end ? std::optional(OwnedFile{.life = end->life,
                                       .goes_with_it = unfinished || end->kind == EndpointFile::Kind::subscriber})
             : std::nullopt;
}

std::optional<DomainTakers::OwnedFile> DomainTakers::owner_of_inbox(std::string_view name) {
  const auto life = life_in(name);
  return life ? std::optional(OwnedFile{.life = *life, .goes_with_it = true}) : std::nullopt;
}

bool DomainTakers::add_files(TakenPart& part, const std::string& directory, OwnerOf owner_of) {
  const auto folder = open_folder(directory_, directory);
  const auto names = folder ? names_in(folder->view(), "") : fail(Error(folder.error()));
  if (!names) {
    miss(directory, names.error());
    return false;
  }
  for (const std::string& name : *names) {
    const auto owner = owner_of(name);
    const bool gone = owner && !part.takers.add(owner->life);
    if (gone && owner->goes_with_it) {
      part.files_of_dead.push_back(directory + "/" + name);
    }
  }
  return true;
}

std::vector<TakenPart> DomainTakers::folders(std::span<const std::string> names, std::string_view prefix,
                                             OwnerOf owner_of) {
  std::vector<TakenPart> parts;
  for (const std::string& name : names) {
    TakenPart part{.name = {}, .files = {name}, .takers = Takers(*lives_)};
    if (name.starts_with(prefix) && add_files(part, name, owner_of)) {
      part.name = name.substr(prefix.size());
      parts.push_back(std::move(part));
    }
  }
  return parts;
}

std::vector<TakenPart> DomainTakers::topics(std::span<const std::string> names) {
  return folders(names, topic_directory_prefix, owner_of_end);
}

std::vector<TakenPart> DomainTakers::services(std::span<const std::string> names) {
  return folders(names, service_directory_prefix, owner_of_inbox);
}

// Both ends are one stream. A dead writer's bytes are its living reader's to read.
std::vector<TakenPart> DomainTakers::streams(std::span<const std::string> names) {
  std::vector<TakenPart> parts;
  for (const StreamRole role : {StreamRole::writer, StreamRole::reader}) {
    for (const std::string& name : names) {
      if (!name.starts_with(stream_prefix(role))) {
        continue;
      }
      const std::string stream = name.substr(stream_prefix(role).size());
      auto part = std::ranges::find(parts, stream, &TakenPart::name);
      const bool known = part != parts.end();
      TakenPart fresh{.name = stream, .files = {}, .takers = Takers(*lives_)};
      TakenPart& into = known ? *part : fresh;
      const auto read = DomainFile::open(directory_, name).and_then([&](const DomainFile& file) {
        return read_stream_end(file, role, into.takers);
      });
      if (!read) {
        miss(name, read.error());
        continue;
      }
      into.files.push_back(name);
      if (!known) {
        parts.push_back(std::move(fresh));
      }
    }
  }
  return parts;
}

Result<Standing> standing_at(FdView directory, const LifeName& name) {
  return Peer::open(directory, name).and_then([](const Peer& peer) { return peer.standing(); });
}

}  // namespace tenon::inspect
