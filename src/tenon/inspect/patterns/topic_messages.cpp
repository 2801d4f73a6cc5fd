#include <tenon/inspect/patterns/topic_messages.hpp>

#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/inspect/patterns/endpoint_reader.hpp>
#include <tenon/inspect/patterns/ring_reader.hpp>
#include <tenon/messaging/topic/topic_layout.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <fcntl.h>
#include <optional>

namespace tenon::inspect {

namespace {

Result<Fd> open_topic(FdView domain, std::string_view topic) {
  const std::string folder = std::string(topic_directory_prefix) + std::string(topic);
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  return fd_from(uninterrupted([&] { return ::openat(domain.raw(), folder.c_str(), flags); }), "open");
}

Result<void> add_newest(const EndpointFile& file, std::size_t most, std::size_t bytes,
                        std::vector<PublishedMessage>& into) {
  const auto seen = read_publisher(file);
  const auto header = seen ? read_publisher_header(file) : fail(Error(seen.error()));
  const auto ring = header ? RingReader::of(file, *header) : std::nullopt;
  if (!ring) {
    return fail(header ? Error(Errc::corrupt).because("its header does not fit its file") : Error(header.error()));
  }
  const std::uint64_t there = std::min<std::uint64_t>(seen->next - seen->first, header->entries);
  for (std::uint64_t at = seen->next - std::min<std::uint64_t>(there, most); at != seen->next; ++at) {
    if (auto message = ring->message(at, bytes)) {
      into.push_back({.publisher = seen->head.pid,
                      .number = at - seen->first,
                      .bytes = message->bytes,
                      .begins = std::move(message->begins)});
    }
  }
  return {};
}

// One that cannot be read does not keep back what the others have sent.
Result<std::vector<PublishedMessage>> read_all(FdView topic, std::size_t most, std::size_t bytes) {
  const auto names = names_in(topic, "pub.");
  if (!names) {
    return fail(Error(names.error()));
  }
  std::vector<PublishedMessage> messages;
  std::optional<Error> wrong;
  for (const std::string& name : *names) {
    const auto parsed = EndpointFile::parse(name);
    const auto file = parsed ? EndpointFile::open(topic, name, *parsed) : fail(Errc::not_found);
    const auto added = file ? add_newest(*file, most, bytes, messages) : Result<void>(fail(Error(file.error())));
    if (!added && !added.failed_with(Errc::not_found)) {
      wrong = Error(added.error()).on(name);
    }
  }
  return messages.empty() && wrong ? fail(std::move(*wrong)) : Result<std::vector<PublishedMessage>>(messages);
}

}  // namespace

Result<std::vector<PublishedMessage>> newest_messages(const std::string& domain, std::string_view topic,
                                                      std::size_t most, std::size_t bytes) {
  return open_domain_directory(domain)
      .and_then([&](const Fd& opened) { return open_topic(opened.view(), topic); })
      .and_then([&](const Fd& folder) { return read_all(folder.view(), most, bytes); });
}

}  // namespace tenon::inspect
