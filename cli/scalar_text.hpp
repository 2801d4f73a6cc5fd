#pragma once
/// One number, truth value or character, in bytes and in JSON. value_text.hpp
#include <cli/value_text.hpp>

namespace tenon::cli {

/// What stands in these bytes, as many as the kind has.
ValueText::Json scalar_json(const ScalarKind& kind, Bytes from);
/// Writes it; returns "", or else what is wrong with it: "is a string, where a number belongs". Nothing is rounded but
/// what is to be a floating-point number.
std::string put_scalar(const ScalarKind& kind, const ValueText::Json& from, MutableBytes into);

/// A whole number in decimal, and nothing beside.
std::optional<std::uint64_t> whole_number_in(std::string_view text) noexcept;
/// "a string", "an array", …
std::string kind_of_json(const ValueText::Json& value);
bool is_utf8(std::string_view text);

}  // namespace tenon::cli
