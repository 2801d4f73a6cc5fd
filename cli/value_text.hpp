#pragma once
/// Values of a type that stands in shared memory, as text and as JSON, and back. What holds the value, a topic's
/// message or anything else, is no matter here.
///
///     f64 x, f32 heading            x=1.5 heading=0.1           {"x":1.5,"heading":0.1}
///     bool, char, char[8]           ok=true key="a" name="bob"  {"ok":true,"key":"a","name":"bob"}
///     f32[3], FixedVector<f32,8>    at=[1, 2, 3]                {"at":[1.0,2.0,3.0]}
///     FixedString<32>               name="bob"                  {"name":"bob"}
///     a type with a name alone      inner=0x0011                {"inner":"0x0011"}
///     a slice of u8                 the bytes, escaped          a string, or the numbers if they are no UTF-8
///     another slice                 an element a line           an array
///
/// What JSON has no numbers for are the strings "nan", "inf" and "-inf". A slice's elements, and those of a Tail, are
/// read; a Tail is never written.
#include <tenon/base/bytes.hpp>
#include <tenon/memory/type_record.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

/// Arithmetic, as type_description.hpp names it.
struct ScalarKind {
  enum class Category : std::uint8_t { boolean, character, signed_number, unsigned_number, floating };
  Category category;
  std::uint64_t bytes;
};
/// "f64", "u8", …; nothing for other names, and for those that no tool can show.
std::optional<ScalarKind> scalar_of(std::string_view kind) noexcept;

/// One member, or the whole value of a type that has none listed.
struct ValueField {
  enum class Shape : std::uint8_t { scalar, text, row, tail, opaque };
  std::string name;
  std::string kind;  ///< "f64", "FixedVector<f32,8>"
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< of one of them
  std::uint64_t count = 1;
  Shape shape = Shape::opaque;
  std::optional<ScalarKind> scalar = {};  ///< of a row or a tail its element's
  std::uint64_t capacity = 0;             ///< of a text in bytes, of a row in elements
  std::uint64_t elements_at = 0;          ///< of a text or a row: where they begin
};

class ValueText {
 public:
  using Json = nlohmann::ordered_json;

  /// Failures: corrupt (its fields do not lie in it: whoever wrote it down was no library).
  static Result<ValueText> of(const StoredType& stored);

  /// "Pose{f64 x, f64 y, f32 heading}"
  std::string notation() const;
  /// Failures: corrupt (so many bytes are no such value).
  Result<std::string> text(Bytes value) const;
  /// On one line. Failures: corrupt.
  Result<std::string> json(Bytes value) const;
  /// The bytes of what `json` says. Failures: corrupt (it is no JSON), type_mismatch (naming the member that is
  /// missing, unknown, of another kind, or out of range), not_supported (a Tail).
  Result<std::vector<std::byte>> bytes_of(std::string_view json) const;

 private:
  enum class Form : std::uint8_t { single, slice, tailed };
  Result<Json> read(Bytes value) const;
  Json read_one(Bytes element, Bytes whole) const;
  Result<void> write_one(const Json& from, MutableBytes element) const;
  Error mismatch(const std::string& what) const;
  bool is_bytes() const noexcept;

  std::string name_;
  Form form_ = Form::single;
  std::uint64_t bytes_ = 0;
  bool has_members_ = false;
  std::vector<ValueField> fields_;
};

}  // namespace tenon::cli
