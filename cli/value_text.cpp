#include <cli/value_text.hpp>

#include <tenon/base/name.hpp>

#include <cli/say.hpp>
#include <cli/scalar_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <set>

namespace tenon::cli {

namespace {

using Json = ValueText::Json;
using Shape = ValueField::Shape;

template <std::size_t Bytes>
std::string text_in(const RecordText<Bytes>& text) {
  return {text.characters, std::min<std::size_t>(text.length, sizeof text.characters)};
}

// What stands between "Outer<" and ">", if the name is such a one.
std::optional<std::string_view> inside(std::string_view name, std::string_view outer) noexcept {
  const bool is_such = name.starts_with(outer) && name.substr(outer.size()).starts_with('<') && name.ends_with('>');
  return is_such ? std::optional(name.substr(outer.size() + 1, name.size() - outer.size() - 2)) : std::nullopt;
}

// fixed_string.hpp has the picture.
void take_text(ValueField& field, std::string_view capacity) {
  constexpr std::uint64_t characters_at = 4;
  const auto bytes = whole_number_in(capacity);
  if (bytes && field.size >= characters_at && *bytes <= field.size - characters_at) {
    field.shape = Shape::text;
    field.capacity = *bytes;
    field.elements_at = characters_at;
  }
}

// fixed_vector.hpp has the picture.
void take_row(ValueField& field, std::string_view of) {
  constexpr std::uint64_t least_elements_at = 8;
  const std::size_t comma = of.rfind(',');
  const auto scalar = comma == std::string_view::npos ? std::nullopt : scalar_of(of.substr(0, comma));
  const auto elements = scalar ? whole_number_in(of.substr(comma + 1)) : std::nullopt;
  if (elements && field.size >= least_elements_at && *elements <= (field.size - least_elements_at) / scalar->bytes) {
    field.shape = Shape::row;
    field.scalar = scalar;
    field.capacity = *elements;
    field.elements_at = least_elements_at;
  }
}

// What is not known stays opaque.
ValueField field_of(std::string name, std::string kind, std::uint64_t offset, std::uint64_t size, std::uint64_t count) {
  ValueField field{.name = std::move(name), .kind = std::move(kind), .offset = offset, .size = size, .count = count};
  if (const auto scalar = scalar_of(field.kind); scalar && scalar->bytes == size) {
    field.shape = Shape::scalar;
    field.scalar = scalar;
  } else if (const auto capacity = inside(field.kind, "FixedString")) {
    take_text(field, *capacity);
  } else if (const auto of = inside(field.kind, "FixedVector")) {
    take_row(field, *of);
  } else if (const auto element = inside(field.kind, "Tail"); element && size == 2 * sizeof(std::uint64_t)) {
    field.scalar = scalar_of(*element);
    field.shape = field.scalar ? Shape::tail : Shape::opaque;
  }
  return field;
}

Error corrupt(std::string_view what) { return Error(Errc::corrupt).because(what); }

template <class T>
T load(Bytes from, std::uint64_t at) noexcept {
  T value;
  std::memcpy(&value, from.data() + at, sizeof value);
  return value;
}

Json scalars(const ScalarKind& kind, Bytes elements) {
  Json all = Json::array();
  for (std::size_t at = 0; at + kind.bytes <= elements.size(); at += kind.bytes) {
    all.push_back(scalar_json(kind, elements.subspan(at, kind.bytes)));
  }
  return all;
}

Json hex(Bytes bytes) {
  std::string text = "0x";
  for (const std::byte byte : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  }
  return text;
}

// What it names, if that lies in the message; null if it does not.
Json tail_json(const ScalarKind& kind, Bytes tail, Bytes whole) {
  const auto at = load<std::uint64_t>(tail, 0);
  const auto count = load<std::uint64_t>(tail, sizeof(std::uint64_t));
  const bool lies_inside = at <= whole.size() && count <= (whole.size() - at) / kind.bytes;
  return lies_inside ? scalars(kind, whole.subspan(at, count * kind.bytes)) : Json(nullptr);
}

// One of the field's members; `whole` is the message that it stands in.
Json member_json(const ValueField& field, Bytes one, Bytes whole) {
  switch (field.shape) {
    case Shape::scalar:
      return scalar_json(*field.scalar, one);
    case Shape::text:
      return std::string(text_of(
          one.subspan(field.elements_at, std::min<std::uint64_t>(load<std::uint32_t>(one, 0), field.capacity))));
    case Shape::row:
      return scalars(*field.scalar, one.subspan(field.elements_at,
                                                std::min<std::uint64_t>(load<std::uint32_t>(one, 0), field.capacity) *
                                                    field.scalar->bytes));
    case Shape::tail:
      return tail_json(*field.scalar, one, whole);
    default:
      return hex(one);
  }
}

bool is_characters(const ValueField& field) noexcept {
  return field.shape == Shape::scalar && field.count > 1 && field.scalar->category == ScalarKind::Category::character;
}

Json field_json(const ValueField& field, Bytes element, Bytes whole) {
  const Bytes all = element.subspan(field.offset, field.size * field.count);
  if (is_characters(field)) {
    const std::string_view text = text_of(all);
    return std::string(text.substr(0, text.find('\0')));
  }
  if (field.count == 1) {
    return member_json(field, all, whole);
  }
  Json members = Json::array();
  for (std::uint64_t i = 0; i < field.count; ++i) {
    members.push_back(member_json(field, all.subspan(i * field.size, field.size), whole));
  }
  return members;
}

// As hex() has it. A text that is the same stands without quotes, too.
bool is_hex(std::string_view text) noexcept {
  return text.starts_with("0x") && text.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
}

// Strings in quotes, numbers as short as they can be.
std::string text_of_json(const Json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return is_hex(text) ? text : "\"" + escaped(text) + "\"";
  }
  if (value.is_number_float()) {
    return fmt::format("{}", value.get<double>());
  }
  if (!value.is_array()) {
    return value.dump();
  }
  std::string text = "[";
  for (const Json& one : value) {
    text += (text.size() == 1 ? "" : ", ") + text_of_json(one);
  }
  return text + "]";
}

std::string text_of_members(const Json& value) {
  if (!value.is_object()) {
    return text_of_json(value);
  }
  std::string text;
  for (const auto& [name, member] : value.items()) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", escaped(name), text_of_json(member));
  }
  return text;
}

// "" if it was written; else what is wrong with it.
std::string write_hex(const Json& from, MutableBytes into) {
  const std::string text = from.is_string() ? from.get<std::string>() : "";
  if (text.size() != 2 + 2 * into.size() || !text.starts_with("0x")) {
    return fmt::format("is to be \"0x\" and {} hexadecimal digits", 2 * into.size());
  }
  for (std::size_t i = 0; i < into.size(); ++i) {
    unsigned byte = 0;
    const char* const digits = text.data() + 2 + 2 * i;
    if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) {
      return fmt::format("is to be \"0x\" and {} hexadecimal digits", 2 * into.size());
    }
    into[i] = static_cast<std::byte>(byte);
  }
  return "";
}

std::string write_characters(const Json& from, MutableBytes into) {
  if (!from.is_string()) {
    return fmt::format("is {}, where a string belongs", kind_of_json(from));
  }
  const auto& text = from.get_ref<const std::string&>();
  if (text.size() > into.size()) {
    return fmt::format("has {} bytes, where there is room for {}", text.size(), into.size());
  }
  std::ranges::copy(tenon::bytes_of(text), into.begin());
  return "";
}

std::string write_elements(const ScalarKind& kind, const Json& from, MutableBytes into) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (auto wrong = put_scalar(kind, from[i], into.subspan(i * kind.bytes, kind.bytes)); !wrong.empty()) {
      return fmt::format("element {}: {}", i + 1, wrong);
    }
  }
  return "";
}

void store_size(std::size_t size, MutableBytes into) noexcept {
  const auto count = static_cast<std::uint32_t>(size);
  std::memcpy(into.data(), &count, sizeof count);
}

std::string write_row(const ValueField& field, const Json& from, MutableBytes into) {
  if (!from.is_array() || from.size() > field.capacity) {
    return from.is_array() ? fmt::format("has {} elements, where there is room for {}", from.size(), field.capacity)
                           : fmt::format("is {}, where an array belongs", kind_of_json(from));
  }
  store_size(from.size(), into);
  return write_elements(*field.scalar, from, into.subspan(field.elements_at));
}

std::string write_text(const ValueField& field, const Json& from, MutableBytes into) {
  auto wrong = write_characters(from, into.subspan(field.elements_at, field.capacity));
  if (wrong.empty()) {
    store_size(from.get_ref<const std::string&>().size(), into);
  }
  return wrong;
}

std::string write_member(const ValueField& field, const Json& from, MutableBytes into) {
  switch (field.shape) {
    case Shape::scalar:
      return put_scalar(*field.scalar, from, into);
    case Shape::text:
      return write_text(field, from, into);
    case Shape::row:
      return write_row(field, from, into);
    default:
      return write_hex(from, into);
  }
}

std::string write_field(const ValueField& field, const Json& from, MutableBytes element) {
  const MutableBytes all = element.subspan(field.offset, field.size * field.count);
  if (is_characters(field)) {
    return write_characters(from, all);
  }
  if (field.count == 1) {
    return write_member(field, from, all);
  }
  if (!from.is_array() || from.size() != field.count) {
    return from.is_array() ? fmt::format("has {} elements, where {} belong", from.size(), field.count)
                           : fmt::format("is {}, where an array of {} belongs", kind_of_json(from), field.count);
  }
  for (std::uint64_t i = 0; i < field.count; ++i) {
    if (auto wrong = write_member(field, from[i], all.subspan(i * field.size, field.size)); !wrong.empty()) {
      return fmt::format("element {}: {}", i + 1, wrong);
    }
  }
  return "";
}

// `twice` is a member's name that an object has twice, if any has.
Json parse(std::string_view json, std::string& twice) {
  std::vector<std::set<std::string>> names;
  const auto look = [&](int /*depth*/, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) {
      names.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      names.pop_back();
    } else if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second) {
      twice = parsed.get<std::string>();
    }
    return true;
  };
  return Json::parse(json, look, false);
}

bool lies_within(const FieldRecord& field, std::uint64_t bytes) noexcept {
  return field.size > 0 && field.count > 0 && field.count <= bytes / field.size && field.offset <= bytes &&
         field.size * field.count <= bytes - field.offset;
}

}  // namespace

Result<ValueText> ValueText::of(const StoredType& stored) {
  ValueText made;
  made.name_ = text_in(stored.type.name);
  made.bytes_ = stored.type.size;
  made.has_members_ = !stored.fields.empty();
  const auto slice = inside(made.name_, "Slice");
  made.form_ = slice ? Form::slice : inside(made.name_, "Tailed") ? Form::tailed : Form::single;
  for (const FieldRecord& field : stored.fields) {
    if (!lies_within(field, made.bytes_)) {
      return fail(corrupt("field \"" + escaped(text_in(field.name)) + "\" of its type does not lie in it"));
    }
    made.fields_.push_back(field_of(text_in(field.name), text_in(field.kind), field.offset, field.size, field.count));
  }
  if (made.bytes_ == 0) {
    return fail(corrupt("its type has no bytes"));
  }
  if (!made.has_members_) {
    made.fields_.push_back(field_of("", std::string(slice.value_or(made.name_)), 0, made.bytes_, 1));
  }
  return made;
}

std::string ValueText::notation() const {
  std::string members;
  for (const ValueField& field : has_members_ ? fields_ : std::vector<ValueField>()) {
    const std::string row = field.count == 1 ? "" : fmt::format("[{}]", field.count);
    members += fmt::format("{}{}{} {}", members.empty() ? "" : ", ", escaped(field.kind), row, escaped(field.name));
  }
  return escaped(name_) + (has_members_ ? "{" + members + "}" : "");
}

bool ValueText::is_bytes() const noexcept {
  return form_ == Form::slice && !has_members_ && fields_.front().kind == "u8" && bytes_ == 1;
}

Json ValueText::read_one(Bytes element, Bytes whole) const {
  if (!has_members_) {
    return field_json(fields_.front(), element, whole);
  }
  Json value = Json::object();
  for (const ValueField& field : fields_) {
    value[field.name] = field_json(field, element, whole);
  }
  return value;
}

Result<Json> ValueText::read(Bytes value) const {
  const bool fits = form_ == Form::single   ? value.size() == bytes_
                    : form_ == Form::tailed ? value.size() >= bytes_
                                            : value.size() % bytes_ == 0;
  if (!fits) {
    return fail(corrupt(fmt::format("{} bytes are no {} of {}", value.size(), escaped(name_), bytes_)));
  }
  if (form_ != Form::slice) {
    return read_one(value.first(bytes_), value);
  }
  if (is_bytes() && is_utf8(text_of(value))) {
    return Json(std::string(text_of(value)));
  }
  Json elements = Json::array();
  for (std::size_t at = 0; at < value.size(); at += bytes_) {
    elements.push_back(read_one(value.subspan(at, bytes_), value));
  }
  return elements;
}

Result<std::string> ValueText::text(Bytes value) const {
  if (is_bytes()) {
    return on_one_line(text_of(value));
  }
  return read(value).transform([this](const Json& all) {
    if (form_ != Form::slice || !has_members_) {
      return text_of_members(all);
    }
    std::string lines;
    for (const Json& one : all) {
      lines += (lines.empty() ? "" : "\n") + text_of_members(one);
    }
    return lines;
  });
}

Result<std::string> ValueText::json(Bytes value) const {
  return read(value).transform(
      [](const Json& all) { return all.dump(-1, ' ', false, Json::error_handler_t::replace); });
}

Error ValueText::mismatch(const std::string& what) const {
  return Error(Errc::type_mismatch).because(what + "; the type is " + notation());
}

Result<void> ValueText::write_one(const Json& from, MutableBytes element) const {
  if (!has_members_) {
    const auto wrong = write_field(fields_.front(), from, element);
    return wrong.empty() ? Result<void>() : fail(mismatch("the value " + wrong));
  }
  if (!from.is_object()) {
    return fail(mismatch(fmt::format("the value is {}, where an object belongs", kind_of_json(from))));
  }
  for (const auto& [name, member] : from.items()) {
    if (std::ranges::find(fields_, name, &ValueField::name) == fields_.end()) {
      return fail(mismatch("there is no member \"" + escaped(name) + "\""));
    }
  }
  for (const ValueField& field : fields_) {
    const auto member = from.find(field.name);
    const auto wrong = member == from.end() ? "is missing" : write_field(field, *member, element);
    if (!wrong.empty()) {
      return fail(mismatch("member \"" + escaped(field.name) + "\" " + wrong));
    }
  }
  return {};
}

Result<std::vector<std::byte>> ValueText::bytes_of(std::string_view json) const {
  if (form_ == Form::tailed) {
    return fail(Error(Errc::not_supported).because("values of " + escaped(name_) + " have a tail"));
  }
  std::string twice;
  const Json from = parse(json, twice);
  if (!twice.empty()) {
    return fail(mismatch("member \"" + escaped(twice) + "\" is there twice"));
  }
  if (from.is_discarded()) {
    return fail(corrupt("this is no JSON"));
  }
  if (is_bytes() && from.is_string()) {
    const Bytes bytes = tenon::bytes_of(from.get_ref<const std::string&>());
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  }
  const bool slice = form_ == Form::slice;
  if (slice && !from.is_array()) {
    return fail(mismatch(fmt::format("the value is {}, where an array belongs", kind_of_json(from))));
  }
  std::vector<std::byte> bytes(bytes_ * (slice ? from.size() : 1));
  for (std::size_t i = 0; i < bytes.size() / bytes_; ++i) {
    const MutableBytes element = MutableBytes(bytes).subspan(i * bytes_, bytes_);
    if (auto written = write_one(slice ? from[i] : from, element); !written) {
      return fail(std::move(written.error()));
    }
  }
  return bytes;
}

}  // namespace tenon::cli
