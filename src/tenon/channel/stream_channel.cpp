#include <tenon/channel/stream_channel.hpp>

#include <tenon/base/name.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/channel/stream_carrier.hpp>
#include <tenon/messaging/stream/stream_file.hpp>

#include <unistd.h>

namespace tenon {

namespace {

constexpr std::size_t around_name =
    stream_prefix(StreamRole::writer).size() + std::string_view(".0123456789abcdef").size();
constexpr auto meeting_patience = std::chrono::milliseconds(500);

Result<Rendezvous> enter(const std::string& name, std::shared_ptr<const Domain> domain, Role role, Deadline deadline) {
  if (const auto checked = Name::make(name, around_name); !checked) {
    return fail(Error(checked.error()).on("stream:" + name));
  }
  ObjectKeeper keeper;
  keeper.made_by_receiver = true;
  keeper.remove = remove_channel_object;
  return Rendezvous::join(std::move(domain), "stream:" + name, role, std::move(keeper), deadline)
      .and_then([&](Rendezvous rendezvous) -> Result<Rendezvous> {
        auto come = rendezvous.await_other_role(deadline);
        return come ? Result<Rendezvous>(std::move(rendezvous)) : fail(std::move(come.error()));
      });
}

// The receiver that has come may have died before it found this stream: another one may take its place, and finds
// another stream, since of one that was given up it cannot be told whether it was met.
Result<StreamWriter> reach(const std::string& name, const Membership& member, const Rendezvous& rendezvous,
                           Deadline deadline) {
  while (true) {
    auto stream = StreamWriter::open(member.holder, new_stream_name(name), deadline.or_sooner(after(meeting_patience)));
    if (!stream.failed_with(Errc::timed_out) || deadline.passed()) {
      return stream;
    }
    if (auto entered = rendezvous.progress(); !entered) {
      return fail(std::move(entered.error()));
    }
  }
}

}  // namespace

Result<Sender> open_stream_sender(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return enter(name, domain, Role::sender, deadline).and_then([&](Rendezvous rendezvous) {
    return Membership::join(domain).and_then([&](Membership member) {
      return reach(name, member, rendezvous, deadline).transform([&](StreamWriter stream) {
        return Sender(std::move(rendezvous), std::make_unique<StreamSink>(std::move(member), std::move(stream)));
      });
    });
  });
}

Result<Receiver> open_stream_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                      Deadline deadline) {
  return enter(name, domain, Role::receiver, deadline).and_then([&](Rendezvous rendezvous) {
    return Membership::join(domain).transform([&](Membership member) {
      return Receiver(std::move(rendezvous), std::make_unique<StreamSource>(std::move(member), name));
    });
  });
}

void remove_streams(const Domain& domain, const std::string& name, std::uint64_t) {
  for (const StreamRole role : {StreamRole::writer, StreamRole::reader}) {
    for (const std::string& stream : streams_of(domain, name, role).value_or(std::vector<std::string>{})) {
      const auto file = StreamFileName::make(role, stream);
      const auto there = file ? OtherStreamFile::open(domain, *file) : fail(Error(file.error()));
      if (there) {
        [[maybe_unused]] const auto removed = there->remove_name(domain.directory());  // its socket's, too
      } else if (file && !there.failed_with(Errc::not_found)) {
        ::unlinkat(domain.directory().raw(), file->text.c_str(), 0);  // half of one, or none
      }
    }
  }
}

}  // namespace tenon
