#pragma once
/// A type's description as bytes in shared memory, and whether it is the type that one expects.
#include <tenon/base/bytes.hpp>
#include <tenon/base/result.hpp>
#include <tenon/memory/type_description.hpp>
#include <tenon/memory/type_record_layout.hpp>

#include <span>
#include <vector>

namespace tenon {

constexpr std::size_t bytes_of_type_record(std::size_t fields) noexcept {
  return sizeof(TypeRecord) + fields * sizeof(FieldRecord);
}

/// Writes it to memory that has bytes_of_type_record(fields.size()) bytes and that nobody else sees yet. A field's name
/// is cut at 62 bytes; the hash is of all of it.
void write_type(MutableBytes memory, const TypeDescription& type, std::span<const TypeField> fields) noexcept;

/// A type that another process wrote down; its own copy of the texts.
struct StoredType {
  TypeRecord type;
  std::vector<FieldRecord> fields;
};
/// A copy of what stands there, whoever changes it meanwhile. Failures: corrupt (longer than the memory).
Result<StoredType> read_type(Bytes memory);

/// Failures: type_mismatch, which names both types, and of types of one name the first field that differs.
Result<void> check_type(const StoredType& stored, const TypeDescription& own, std::span<const TypeField> fields);

}  // namespace tenon
