#include <tenon/messaging/topic/endpoint_file.hpp>

#include <tenon/base/file_identity.hpp>
#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::uint64_t longest_type = 1 << 20;

// Failures: corrupt (the file ends before).
Result<void> read_at(FdView file, MutableBytes into, std::uint64_t at) {
  const ssize_t got =
      uninterrupted([&] { return ::pread(file.raw(), into.data(), into.size(), static_cast<off_t>(at)); });
  if (got == -1) {
    return fail(os_failure("pread", errno));
  }
  return static_cast<std::size_t>(got) == into.size()
             ? Result<void>()
             : fail(Error(Errc::corrupt, "pread").because("the file ends before what it should hold"));
}

Result<void> check_head(const EndpointHead& head, const EndpointName& name) {
  const auto& magic = name.kind == EndpointKind::publisher ? publisher_magic : subscriber_magic;
  auto known = check_identity(identity_of(head), {.magic = magic, .layout_version = topic_layout_version});
  if (!known) {
    return fail(std::move(known.error()).on(name.text()));
  }
  if (head.token != name.token.value() || head.life != name.life.value()) {
    return fail(corrupt_endpoint(name, "it names another endpoint than its file's name does"));
  }
  return {};
}

}  // namespace

EndpointHead head_of(const EndpointName& name, std::uint64_t type_at, std::uint64_t type_bytes) noexcept {
  return {.magic = name.kind == EndpointKind::publisher ? publisher_magic : subscriber_magic,
          .layout_version = topic_layout_version,
          .mode = 0,
          .token = name.token.value(),
          .life = name.life.value(),
          .pid = ::getpid(),
          .uid = ::geteuid(),
          .type_at = type_at,
          .type_bytes = type_bytes,
          .reserved = 0};
}

template <class Header>
Result<Header> read_header(FdView file, const EndpointName& name) {
  Header header;
  return read_at(file, mutable_bytes_of_value(header), 0)
      .and_then([&] { return check_head(header.head, name); })
      .transform([&] { return header; });
}
template Result<PublisherHeader> read_header(FdView, const EndpointName&);
template Result<SubscriberHeader> read_header(FdView, const EndpointName&);

Result<StoredType> read_type_of(FdView file, const EndpointHead& head, std::uint64_t file_bytes) {
  if (head.type_bytes > longest_type || head.type_at > file_bytes || head.type_bytes > file_bytes - head.type_at) {
    return fail(Error(Errc::corrupt).because("the record of its type lies outside of the file"));
  }
  std::vector<std::byte> bytes(head.type_bytes);
  return read_at(file, bytes, head.type_at).and_then([&] { return read_type(bytes); });
}

Result<std::uint64_t> bytes_of_file(FdView file) {
  struct stat status{};
  if (::fstat(file.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

Error corrupt_endpoint(const EndpointName& name, std::string_view what) {
  return Error(Errc::corrupt).on(name.text()).because(what);
}

}  // namespace tenon
