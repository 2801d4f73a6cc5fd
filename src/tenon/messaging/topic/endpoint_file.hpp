#pragma once
/// What the files of publishers and subscribers have in common, read with pread(2): a copy that nobody changes once it
/// was checked, before anything is mapped.
#include <tenon/base/bytes.hpp>
#include <tenon/memory/type_record.hpp>
#include <tenon/messaging/topic/endpoint_name.hpp>
#include <tenon/messaging/topic/topic_layout.hpp>
#include <tenon/os/fd.hpp>

#include <span>
#include <string>

namespace tenon {

/// A message's type, as the program knows it.
struct MessageType {
  TypeDescription description;
  std::span<const TypeField> fields;

  std::size_t record_bytes() const noexcept { return bytes_of_type_record(fields.size()); }
};
template <NamedType T>
constexpr MessageType message_type() noexcept {
  return {.description = type_of<T>(), .fields = fields_of<T>()};
}

/// The head of one's own file.
EndpointHead head_of(const EndpointName& name, std::uint64_t type_at, std::uint64_t type_bytes) noexcept;

/// Fills `header`, which begins with an EndpointHead, from the file's first bytes, and checks that head: magic, layout,
/// mode, tokens. Failures: corrupt, version_mismatch, not_supported (the sealed mode).
template <class Header>
Result<Header> read_header(FdView file, const EndpointName& name);

/// The type that stands there. Failures: corrupt, io_error.
Result<StoredType> read_type_of(FdView file, const EndpointHead& head, std::uint64_t file_bytes);

/// As fstat(2) tells it.
Result<std::uint64_t> bytes_of_file(FdView file);

/// corrupt, with what is wrong.
Error corrupt_endpoint(const EndpointName& name, std::string_view what);

}  // namespace tenon
