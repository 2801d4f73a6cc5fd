#include <cli/json_text.hpp>

namespace tenon::cli {

void JsonText::separate() {
  if (!is_first_) {
    text_ += ',';
  }
  is_first_ = false;
}

JsonText& JsonText::new_line() {
  separate();
  text_ += '\n';
  is_first_ = true;
  return *this;
}

JsonText& JsonText::begin(char bracket) {
  separate();
  text_ += bracket;
  is_first_ = true;
  return *this;
}

JsonText& JsonText::end(char bracket) {
  text_ += bracket;
  is_first_ = false;
  return *this;
}

JsonText& JsonText::key(std::string_view name) {
  separate();
  text_.append(1, '"').append(name).append("\":");
  is_first_ = true;
  return *this;
}

JsonText& JsonText::text(std::string_view value) {
  separate();
  text_ += '"';
  for (std::size_t at = value.find_first_of("\"\\"); at != std::string_view::npos; at = value.find_first_of("\"\\")) {
    text_.append(value.substr(0, at)).append(1, '\\').append(1, value[at]);
    value.remove_prefix(at + 1);
  }
  text_.append(value).append(1, '"');
  return *this;
}

JsonText& JsonText::literal(std::string_view value) {
  separate();
  text_ += value;
  return *this;
}

}  // namespace tenon::cli
