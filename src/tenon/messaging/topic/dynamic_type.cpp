#include <tenon/messaging/topic/dynamic_type.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/life_peer.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace tenon {

namespace {

template <std::size_t Bytes>
std::string_view view(const RecordText<Bytes>& text) noexcept {
  return {text.characters, std::min<std::size_t>(text.length, sizeof text.characters)};
}

MessageLength length_of(std::string_view name) noexcept {
  const bool of_others = name.ends_with('>');
  return of_others && name.starts_with("Slice<")    ? MessageLength::slice
         : of_others && name.starts_with("Tailed<") ? MessageLength::tailed
                                                    : MessageLength::fixed;
}

Result<StoredType> read_type(FdView directory, const EndpointName& name) {
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const auto file =
      fd_from(uninterrupted([&] { return ::openat(directory.raw(), name.text().c_str(), flags); }), "open");
  const auto bytes = file ? bytes_of_file(file->view()) : fail(Error(file.error()));
  if (!bytes) {
    return fail(Error(bytes.error()));
  }
  const auto head_of = [](const auto& header) { return header.head; };
  const auto head = name.kind == EndpointKind::publisher
                        ? read_header<PublisherHeader>(file->view(), name).transform(head_of)
                        : read_header<SubscriberHeader>(file->view(), name).transform(head_of);
  return head ? read_type_of(file->view(), *head, *bytes) : fail(Error(head.error()));
}

bool lives(const Domain& domain, const EndpointName& name) {
  const auto standing = standing_of(domain, name.life);
  return !name.unfinished && (!standing || *standing == Standing::alive);
}

Error nobody_there(const std::string& domain, std::string_view topic) {
  return Error(Errc::not_found).on(topic).because("nobody takes part in this topic of " + domain);
}

}  // namespace

Result<DynamicType> DynamicType::of(StoredType stored) {
  if (stored.type.size == 0 || stored.type.size > MessageAbout::most_bytes) {
    return fail(
        Error(Errc::corrupt).because("no message has a type of " + std::to_string(stored.type.size) + " bytes"));
  }
  auto whole = std::make_shared<Whole>(Whole{.stored = std::move(stored), .length = {}, .fields = {}, .type = {}});
  const TypeRecord& type = whole->stored.type;
  whole->length = length_of(view(type.name));
  for (const FieldRecord& field : whole->stored.fields) {
    whole->fields.push_back({.name = view(field.name),
                             .kind = view(field.kind),
                             .offset = field.offset,
                             .size = field.size,
                             .count = field.count,
                             .hash = field.hash});
  }
  whole->type = {
      .description = {.name = view(type.name), .size = type.size, .alignment = type.alignment, .hash = type.hash},
      .fields = whole->fields};
  return DynamicType(std::move(whole));
}

bool DynamicType::in_chunks() const noexcept {
  return length() != MessageLength::fixed || bytes() > MessageEntry<13>::inline_bytes;
}

// As MessageShape has it for each kind of type.
std::size_t DynamicType::entry_words() const noexcept {
  const bool long_entry = length() == MessageLength::slice || (!in_chunks() && bytes() > MessageEntry<5>::inline_bytes);
  return long_entry ? 13 : 5;
}

bool DynamicType::is_sound(const MessageAbout& about) const noexcept {
  const bool in_chunk = about.form == MessageForm::chunk;
  const bool in_entry = about.form == MessageForm::inline_words && about.bytes <= entry_words() * sizeof(std::uint64_t);
  switch (length()) {
    case MessageLength::slice:
      return about.bytes % bytes() == 0 && (in_chunk || in_entry);
    case MessageLength::tailed:
      return about.bytes >= bytes() && in_chunk;
    default:
      return about.bytes == bytes() && (in_chunks() ? in_chunk : in_entry);
  }
}

Result<DynamicType> type_of_topic(const std::string& domain, std::string_view topic) {
  struct stat status{};
  if (::stat(domain.c_str(), &status) == -1) {  // Domain::open would make it
    return errno == ENOENT ? fail(nobody_there(domain, topic)) : fail(os_failure("stat", errno).on(domain));
  }
  const auto name = Name::make(topic, topic_directory_prefix.size());
  const auto opened = name ? Domain::open(domain) : fail(Error(name.error()));
  if (!opened) {
    return fail(Error(opened.error()));
  }
  const std::string path = std::string(topic_directory_prefix) + name->text();
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  const auto directory =
      fd_from(uninterrupted([&] { return ::openat(opened->directory().raw(), path.c_str(), flags); }), "open");
  if (!directory) {
    return directory.error() == Errc::not_found ? fail(nobody_there(domain, topic))
                                                : fail(Error(directory.error()).on(domain + "/" + path));
  }
  auto names = EndpointName::all_in(directory->view());
  if (!names) {
    return fail(std::move(names.error()).on(topic));
  }
  std::ranges::sort(*names, {}, &EndpointName::kind);  // publishers first: what they write is what is received
  Error why = nobody_there(domain, topic);
  for (const EndpointName& one : *names) {
    if (!lives(*opened, one)) {
      continue;
    }
    auto type = read_type(directory->view(), one).and_then(&DynamicType::of);
    if (type) {
      return type;
    }
    why = std::move(type.error()).on(std::string(topic) + "/" + one.text());
  }
  return fail(std::move(why));
}

}  // namespace tenon
