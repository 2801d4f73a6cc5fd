#include <cli/object_target.hpp>

#include <tenon/base/name.hpp>

#include <fmt/core.h>

#include <charconv>
#include <cstdint>
#include <string_view>

namespace tenon::cli {

namespace {

using inspect::Kind;
using inspect::Object;

template <class Number>
std::optional<Number> number(std::string_view digits, int base) {
  Number value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
}

// "5678", "0x162e", "#5"
Result<ObjectTarget> system_v_target(Kind kind, const std::string& rest, const std::string& text) {
  if (rest.starts_with('#')) {
    const auto id = number<int>(std::string_view(rest).substr(1), 10);
    return id ? Result<ObjectTarget>(ObjectTarget{.kind = kind, .name = "", .id = id})
              : fail(Error(Errc::invalid_argument).on(text).because("behind # stands the identifier, a number"));
  }
  const bool hexadecimal = rest.starts_with("0x");
  const auto key =
      hexadecimal ? number<std::uint32_t>(std::string_view(rest).substr(2), 16) : number<std::uint32_t>(rest, 10);
  if (!key) {
    return fail(Error(Errc::invalid_argument).on(text).because("behind the kind stands a key, as 0x162e, or #ID"));
  }
  if (*key == 0) {
    return fail(
        Error(Errc::invalid_argument).on(text).because("key 0 is that of all private objects: name one by #ID"));
  }
  return ObjectTarget{.kind = kind, .name = fmt::format("0x{:08x}", *key), .id = {}};
}

}  // namespace

Result<ObjectTarget> object_target(const std::string& text) {
  const std::size_t colon = text.find(':');
  auto kind = inspect::kind_of(text.substr(0, colon));
  if (!kind || colon == std::string::npos || colon + 1 == text.size()) {
    return fail(kind ? Error(Errc::invalid_argument).on(text).because("it is KIND:NAME or, for System V, KIND:#ID")
                     : std::move(kind.error()));
  }
  const std::string rest = text.substr(colon + 1);
  if (is_system_v(*kind)) {
    return system_v_target(*kind, rest, text);
  }
  const bool posix = *kind == Kind::posix_queue || *kind == Kind::posix_memory || *kind == Kind::posix_semaphore;
  if (posix && (rest.front() != '/' || rest.size() == 1 || rest.find('/', 1) != std::string::npos)) {
    return fail(Error(Errc::invalid_name).on(text).because("such a name begins with / and has no other"));
  }
  const auto id = rest.starts_with('#') ? number<int>(std::string_view(rest).substr(1), 10) : std::nullopt;
  // What has no name is called "pipe:[4711]", kind and all.
  return ObjectTarget{.kind = *kind, .name = rest.starts_with('[') ? text : rest, .id = id};
}

bool is_meant(const Object& object, const ObjectTarget& target) {
  return object.kind == target.kind && (target.id ? object.id == target.id : object.name == target.name);
}

}  // namespace tenon::cli
