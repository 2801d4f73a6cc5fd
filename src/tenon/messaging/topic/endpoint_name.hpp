#pragma once
/// Who takes part in a topic, as the names in its directory say.
///
///     pub.TOKEN.LIFE     .pub.TOKEN.LIFE (being made)
///     sub.TOKEN.LIFE     .sub.TOKEN.LIFE
///
/// TOKEN is the endpoint's own and never comes again, so a name once seen to be a dead one's may be removed at any time
/// later. LIFE is the token of its process (os/life).
#include <tenon/base/result.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/token.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

enum class EndpointKind : std::uint8_t { publisher, subscriber };

struct EndpointName {
  EndpointKind kind;
  Token token;
  Token life;
  bool unfinished = false;  ///< being made, or its maker was killed

  std::string text() const;
  /// Nothing for the names of other files.
  static std::optional<EndpointName> parse(std::string_view text);
  /// Those in a directory, in no order. Failures: not_found (the directory was removed), limit_reached.
  static Result<std::vector<EndpointName>> all_in(FdView directory);
  friend bool operator==(const EndpointName&, const EndpointName&) = default;
};

}  // namespace tenon
