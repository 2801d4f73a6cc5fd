#include <cli/type_notation.hpp>

#include <tenon/base/name.hpp>

#include <cli/scalar_text.hpp>

#include <algorithm>
#include <deque>
#include <string>

namespace tenon::cli {

namespace {

constexpr std::uint64_t most_bytes = 1 << 30;
constexpr std::size_t most_of_a_name = 62;  // of a field's, in its record

Fail wrong(std::string_view notation, const std::string& what) {
  return fail(Error(Errc::invalid_argument)
                  .on(notation)
                  .because(what + "; a type is written as in Pose{f64 x, f32[3] at, FixedString<16> name}"));
}

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint64_t> number_in(std::string_view text) noexcept {
  const auto number = whole_number_in(text);
  return number && *number > 0 && *number <= most_bytes ? number : std::nullopt;
}

constexpr std::uint64_t up_to(std::uint64_t bytes, std::uint64_t multiple) noexcept {
  return (bytes + multiple - 1) / multiple * multiple;
}

// Name, size and alignment of what a member may be. The text lives as long as `kind` does.
std::optional<TypeDescription> described(std::string_view kind) {
  if (const auto scalar = scalar_of(kind)) {
    return describe(kind, scalar->bytes, scalar->bytes);
  }
  constexpr std::string_view text = "FixedString<";
  if (!kind.starts_with(text) || !kind.ends_with('>')) {
    return std::nullopt;
  }
  const auto capacity = number_in(kind.substr(text.size(), kind.size() - text.size() - 1));
  constexpr std::uint64_t word = sizeof(std::uint32_t);
  return capacity ? std::optional(describe(kind, word + up_to(*capacity, word), word)) : std::nullopt;
}

struct Parsed {
  std::vector<TypeField> fields;
  std::uint64_t bytes = 0;
  std::uint64_t alignment = 1;
};

// "f32[3] at". Returns what is wrong with it, "" if it was added.
std::string add_member(std::string_view member, Parsed& into) {
  const std::size_t blank = member.find_last_of(" \t");
  if (blank == std::string_view::npos) {
    return "\"" + escaped(member) + "\" is no kind and a name";
  }
  const std::string_view name = member.substr(blank + 1);
  std::string_view kind = trimmed(member.substr(0, blank));
  std::uint64_t count = 1;
  if (const std::size_t bracket = kind.find('['); bracket != std::string_view::npos && kind.ends_with(']')) {
    count = number_in(kind.substr(bracket + 1, kind.size() - bracket - 2)).value_or(0);
    kind = kind.substr(0, bracket);
  }
  const auto one = described(kind);
  if (!one || count == 0) {
    return "\"" + escaped(member) + "\" is of no kind that is known here";
  }
  if (name.size() > most_of_a_name || std::ranges::find(into.fields, name, &TypeField::name) != into.fields.end()) {
    return "\"" + escaped(name) + "\" is too long for a member's name, or there twice";
  }
  const std::uint64_t offset = up_to(into.bytes, one->alignment);
  if (count > (most_bytes - offset) / one->size) {
    return "it is longer than " + std::to_string(most_bytes) + " bytes";
  }
  into.fields.push_back(
      {.name = name, .kind = kind, .offset = offset, .size = one->size, .count = count, .hash = one->hash});
  into.bytes = offset + one->size * count;
  into.alignment = std::max(into.alignment, one->alignment);
  return "";
}

Result<Parsed> members_in(std::string_view notation, std::string_view list) {
  Parsed all;
  while (true) {
    const std::size_t comma = list.find(',');
    if (auto what = add_member(trimmed(list.substr(0, comma)), all); !what.empty()) {
      return wrong(notation, what);
    }
    if (comma == std::string_view::npos) {
      return all;
    }
    list.remove_prefix(comma + 1);
  }
}

Result<StoredType> stored(const TypeDescription& type, std::span<const TypeField> fields) {
  std::vector<std::byte> record(bytes_of_type_record(fields.size()));
  write_type(record, type, fields);
  return read_type(record);
}

}  // namespace

Result<StoredType> type_in(std::string_view notation) {
  const std::string_view whole = trimmed(notation);
  const std::size_t brace = whole.find('{');
  const std::string_view name = whole == "bytes" ? "Slice<u8>" : trimmed(whole.substr(0, brace));
  if (name.empty() || name.size() > TypeText::capacity) {
    return wrong(notation, "its name is empty, or longer than 126 bytes");
  }
  if (brace != std::string_view::npos) {
    if (!whole.ends_with('}')) {
      return wrong(notation, "its brace is not closed");
    }
    return members_in(notation, whole.substr(brace + 1, whole.size() - brace - 2)).and_then([&](const Parsed& all) {
      const std::uint64_t bytes = up_to(all.bytes, all.alignment);
      return stored(describe(name, bytes, all.alignment, all.fields), all.fields);
    });
  }
  constexpr std::string_view slice = "Slice<";
  const bool is_slice = name.starts_with(slice) && name.ends_with('>');
  const auto one = described(is_slice ? name.substr(slice.size(), name.size() - slice.size() - 1) : name);
  if (!one) {
    return wrong(notation, "\"" + escaped(name) + "\" has no members and is no kind that is known here");
  }
  return stored(describe(name, one->size, one->alignment), {});
}

}  // namespace tenon::cli
