#pragma once
/// JSON, written as it goes: no tree of it is made, which for ten thousand objects would take longer than to read them.
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace tenon::cli {

/// Commas are set by themselves. What is begun is to be ended; a key stands before each value of an object.
class JsonText {
 public:
  JsonText& begin_object() { return begin('{'); }
  JsonText& end_object() { return end('}'); }
  JsonText& begin_array() { return begin('['); }
  JsonText& end_array() { return end(']'); }
  /// What follows stands on a line of its own.
  JsonText& new_line();

  /// A name without characters that JSON escapes.
  JsonText& key(std::string_view name);

  /// Valid UTF-8 without control characters, as escaped() makes it.
  JsonText& text(std::string_view value);
  JsonText& number(std::integral auto value) { return literal(std::to_string(value)); }
  JsonText& boolean(bool value) { return literal(value ? "true" : "false"); }
  JsonText& null() { return literal("null"); }

  template <std::integral T>
  JsonText& number_or_null(const std::optional<T>& value) {
    return value ? number(*value) : null();
  }

  std::string take() && { return std::move(text_); }

 private:
  JsonText& begin(char bracket);
  JsonText& end(char bracket);
  JsonText& literal(std::string_view value);
  void separate();

  std::string text_;
  bool is_first_ = true;  // of what was begun, or behind its key
};

}  // namespace tenon::cli
