#include <tenon/inspect/patterns/streams.hpp>

#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/inspect/patterns/lives.hpp>
#include <tenon/messaging/stream/stream_layout.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/token.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>

namespace tenon::inspect {

namespace {

constexpr std::uint64_t closed = std::uint64_t{1} << 63;  // of a wish. messaging/stream/stream_bell.hpp

/// What is read of StreamState: plain words, as pread(2) finds them.
struct StateSeen {
  std::uint64_t peer;
  std::array<std::uint64_t, 7> bells;
  std::uint64_t wish;
  std::uint64_t wished;
  std::int64_t waits_since;
  std::uint64_t waits;
  std::array<std::uint64_t, 4> reserved;
  std::uint64_t index;
};
static_assert(offsetof(StateSeen, wish) == offsetof(StreamState, wish));
static_assert(offsetof(StateSeen, waits_since) == offsetof(StreamState, waits_since));
static_assert(offsetof(StateSeen, index) == offsetof(StreamState, index));

Error corrupt(std::string_view what) { return Error(Errc::corrupt).because(what); }

Result<StreamHeader> read_header(const DomainFile& file, StreamRole role) {
  const auto header = file.value_at<StreamHeader>(0);
  if (!header || header->magic != stream_magic(role)) {
    return fail(corrupt("it is no end of a stream"));
  }
  if (header->layout_version != stream_layout_version) {
    return fail(Error(Errc::version_mismatch)
                    .because("its layout has version " + std::to_string(header->layout_version) + ", known is " +
                             std::to_string(stream_layout_version)));
  }
  if (header->mode != 0) {
    return fail(Error(Errc::not_supported).because("it has a mode that is not known"));
  }
  if (!fits_stream_file(*header, role, file.size())) {
    return fail(corrupt("its header does not fit its file"));
  }
  return *header;
}

struct EndRead {
  StreamEndSeen seen;
  StreamHeader header;
};

Result<EndRead> read_end(const DomainFile& file, StreamRole role, Lives& lives) {
  const auto header = read_header(file, role);
  const auto state = header ? file.value_at<StateSeen>(stream_state_at) : std::nullopt;
  if (!state) {
    return fail(header ? corrupt("its state does not lie in it") : Error(header.error()));
  }
  const std::int64_t now = monotonic_now();
  const bool waits = state->waits_since > 0 && state->waits_since <= now;
  return EndRead{.seen = {.token = header->token,
                          .life = header->life,
                          .pid = header->pid,
                          .uid = header->uid,
                          .alive = !lives.is_gone(Token::from(header->life)),
                          .closed = (state->wish & closed) != 0,
                          .joined = state->peer != 0,
                          .bytes = state->index,
                          .waits_for = waits ? std::optional(now - state->waits_since) : std::nullopt,
                          .waits = state->waits,
                          .memory = file.memory()},
                 .header = *header};
}

/// What is read of one domain.
class StreamsReader {
 public:
  StreamsReader(FdView directory, Lives& lives, Streams& into) : directory_(directory), lives_(lives), into_(into) {}

  void read(const std::string& file_name, StreamRole role) {
    auto end = DomainFile::open(directory_, file_name).and_then([&](const DomainFile& file) {
      return read_end(file, role, lives_);
    });
    if (!end) {
      if (!end.failed_with(Errc::not_found)) {  // what went away meanwhile is no news
        into_.unseen.push_back(file_name + ": " + end.error().message());
      }
      return;
    }
    const std::string name = file_name.substr(stream_prefix(role).size());
    StreamSeen& stream =
        all_.try_emplace(name, StreamSeen{.name = name, .writer = {}, .reader = {}, .capacity = 0}).first->second;
    if (role == StreamRole::writer) {
      end->seen.bytes -= end->header.first;
      first_[name] = end->header.first;
      stream.capacity = end->header.capacity;
      stream.writer = end->seen;
    } else {
      stream.reader = end->seen;
    }
  }
  // A reader counts from where its writer began, once it has asked one.
  void finish() {
    for (auto& [name, stream] : all_) {
      if (stream.reader) {
        const auto first = first_.find(name);
        const bool counts = stream.reader->joined && first != first_.end();
        stream.reader->bytes = counts ? stream.reader->bytes - first->second : 0;
      }
      into_.streams.push_back(std::move(stream));
    }
  }

 private:
  FdView directory_;
  Lives& lives_;
  Streams& into_;
  std::map<std::string, StreamSeen> all_;
  std::map<std::string, std::uint64_t> first_;
};

}  // namespace

std::uint64_t StreamSeen::unread() const noexcept {
  const bool both = writer && reader && writer->joined && reader->joined;
  const std::uint64_t between = both ? writer->bytes - reader->bytes : 0;
  return between <= capacity ? between : 0;
}

Result<Streams> streams(const std::string& domain) {
  const auto directory = open_domain_directory(domain);
  if (!directory) {
    return fail(Error(directory.error()));
  }
  Streams all{.streams = {}, .unseen = {}, .at = monotonic_now()};
  Lives lives(directory->view());
  StreamsReader reader(directory->view(), lives, all);
  for (const StreamRole role : {StreamRole::reader, StreamRole::writer}) {
    const auto names = names_in(directory->view(), stream_prefix(role));
    if (!names) {
      return fail(Error(names.error()));
    }
    for (const std::string& name : *names) {
      reader.read(name, role);
    }
  }
  reader.finish();
  return all;
}

}  // namespace tenon::inspect
