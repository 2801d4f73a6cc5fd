/// Streams as objects of a snapshot. inspect/patterns/streams.hpp
#include <tenon/inspect/patterns/domain_scene.hpp>
#include <tenon/inspect/patterns/streams.hpp>
#include <tenon/messaging/stream/stream_layout.hpp>

namespace tenon::inspect {

namespace {

// "", "nobody reads", "the writer has closed it", "the reader died"
std::string state_of(const std::optional<StreamEndSeen>& end, const char* who, const char* absent) {
  if (!end) {
    return absent;
  }
  return end->closed  ? std::string("the ") + who + " has closed it"
         : end->alive ? ""
                      : std::string("the ") + who + " died";
}

Object stream_object(const DomainScene& scene, const StreamSeen& stream) {
  const StreamRole role = stream.writer ? StreamRole::writer : StreamRole::reader;
  Object object = scene.object(Kind::stream, stream.name, std::string(stream_prefix(role)) + stream.name);
  const std::string writer = state_of(stream.writer, "writer", "nobody writes");
  const std::string reader = state_of(stream.reader, "reader", "nobody reads");
  object.state = writer + (writer.empty() || reader.empty() ? "" : ", ") + reader;
  object.figures = {
      {.name = "unread_bytes", .value = stream.unread()},
      {.name = "written", .value = stream.writer ? stream.writer->bytes : 0},
      {.name = "bytes",
       .value = (stream.writer ? stream.writer->memory : 0) + (stream.reader ? stream.reader->memory : 0)},
      {.name = "max_unread_bytes", .value = stream.capacity}};
  return object;
}

// An end that lives and has met nobody is in open, where it waits for the other.
void add_end(DomainScene& scene, std::size_t place, const StreamEndSeen& end, StreamRole role, std::int64_t at,
             Snapshot& into) {
  const bool writes = role == StreamRole::writer;
  scene.add_edge(
      into, place,
      {.life = end.life, .relation = writes ? Relation::sends_to : Relation::receives_from, .alive = end.alive});
  if (!end.alive || end.closed) {
    return;
  }
  if (!end.joined) {
    scene.add_wait(into, place, end.life, "open", Need::peer, std::nullopt);
  } else if (end.waits_for) {
    scene.add_wait(into, place, end.life, writes ? "write" : "read", writes ? Need::room : Need::message,
                   at - *end.waits_for);
  }
}

}  // namespace

void read_streams(DomainScene& scene, Snapshot& into) {
  const auto all = streams(scene.path());
  if (!all) {
    scene.add_failure(into, all.error());
    return;
  }
  for (const StreamSeen& stream : all->streams) {
    into.objects.push_back(stream_object(scene, stream));
    const std::size_t place = into.objects.size() - 1;
    if (stream.writer) {
      add_end(scene, place, *stream.writer, StreamRole::writer, all->at, into);
    }
    if (stream.reader) {
      add_end(scene, place, *stream.reader, StreamRole::reader, all->at, into);
    }
  }
  scene.add_unseen(into, all->unseen);
}

}  // namespace tenon::inspect
