#include <tenon/memory/type_record.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/base/name.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace tenon {

namespace {

template <std::size_t Bytes>
RecordText<Bytes> record_text(std::string_view text) noexcept {
  RecordText<Bytes> record{};
  const std::size_t length = std::min(text.size(), sizeof record.characters);
  record.length = static_cast<std::uint16_t>(length);
  text.copy(record.characters, length);
  return record;
}

template <std::size_t Bytes>
std::string_view view(const RecordText<Bytes>& text) noexcept {
  return {text.characters, std::min<std::size_t>(text.length, sizeof text.characters)};
}

FieldRecord record_of(const TypeField& field) noexcept {
  return {.offset = field.offset,
          .size = field.size,
          .count = field.count,
          .hash = field.hash,
          .name = record_text<64>(field.name),
          .kind = record_text<128>(field.kind)};
}

bool is_same(const FieldRecord& a, const FieldRecord& b) noexcept {
  return a.offset == b.offset && a.size == b.size && a.count == b.count && a.hash == b.hash &&
         view(a.name) == view(b.name) && view(a.kind) == view(b.kind);
}

// "heading (f32[4] at byte 16)"
std::string text_of(const FieldRecord& field) {
  const std::string row = field.count == 1 ? "" : "[" + std::to_string(field.count) + "]";
  return escaped(view(field.name)) + " (" + escaped(view(field.kind)) + row + " at byte " +
         std::to_string(field.offset) + ")";
}

// Of two types that differ: the first field that does, "" if none tells.
std::string first_difference(const StoredType& stored, std::span<const TypeField> own) {
  const std::size_t most = std::max(stored.fields.size(), own.size());
  for (std::size_t i = 0; i < most; ++i) {
    const bool there = i < stored.fields.size();
    const bool here = i < own.size();
    if (there && here && is_same(stored.fields[i], record_of(own[i]))) {
      continue;
    }
    const std::string theirs = there ? text_of(stored.fields[i]) : "missing";
    const std::string ours = here ? text_of(record_of(own[i])) : "missing";
    const bool nested = theirs == ours;
    return ": field " + std::to_string(i + 1) + " is " + theirs + " there and " +
           (nested ? "differs inside" : ours + " here");
  }
  return "";
}

}  // namespace

void write_type(MutableBytes memory, const TypeDescription& type, std::span<const TypeField> fields) noexcept {
  expects(memory.size() >= bytes_of_type_record(fields.size()), "a type's record has room for all of its fields");
  const TypeRecord head{.hash = type.hash,
                        .size = type.size,
                        .alignment = type.alignment,
                        .fields = static_cast<std::uint32_t>(fields.size()),
                        .reserved = 0,
                        .name = record_text<128>(type.name)};
  std::memcpy(memory.data(), &head, sizeof head);
  std::size_t at = sizeof head;
  for (const TypeField& field : fields) {
    const FieldRecord record = record_of(field);
    std::memcpy(memory.data() + at, &record, sizeof record);
    at += sizeof record;
  }
}

Result<StoredType> read_type(Bytes memory) {
  StoredType stored{};
  if (memory.size() < sizeof stored.type) {
    return fail(Error(Errc::corrupt).because("the record of its type is cut off"));
  }
  std::memcpy(&stored.type, memory.data(), sizeof stored.type);
  const Bytes rest = memory.subspan(sizeof stored.type);
  if (stored.type.fields > rest.size() / sizeof(FieldRecord)) {
    return fail(Error(Errc::corrupt)
                    .because("the record of its type has " + std::to_string(stored.type.fields) +
                             " fields and room for " + std::to_string(rest.size() / sizeof(FieldRecord))));
  }
  stored.fields.resize(stored.type.fields);
  if (!stored.fields.empty()) {
    std::memcpy(stored.fields.data(), rest.data(), stored.fields.size() * sizeof(FieldRecord));
  }
  return stored;
}

Result<void> check_type(const StoredType& stored, const TypeDescription& own, std::span<const TypeField> fields) {
  const TypeDescription theirs{.name = view(stored.type.name),
                               .size = stored.type.size,
                               .alignment = stored.type.alignment,
                               .hash = stored.type.hash};
  if (theirs == own) {
    return {};
  }
  return fail(Error(Errc::type_mismatch)
                  .because("it holds " + theirs.text() + ", this program expects " + own.text() +
                           (theirs.name == own.name ? first_difference(stored, fields) : "")));
}

}  // namespace tenon
