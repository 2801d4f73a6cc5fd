#pragma once
/// Opening a named object or making it, whoever else makes and removes one of that name meanwhile.
#include <tenon/base/result.hpp>

#include <string_view>

namespace tenon {

/// Tries create() and open() in turn until one says something else than already_exists and not_found. Whoever finds
/// half of one takes it away in open(), and says not_found for another turn. After 16 lost turns, each of which is
/// somebody else's create or removal in between: not_found, for `call` on `name`.
template <class Create, class Open>
auto create_or_open(const char* call, std::string_view name, Create create, Open open) -> decltype(create()) {
  constexpr int most_turns = 16;
  for (int turn = 0; turn < most_turns; ++turn) {
    auto created = create();
    if (!created.failed_with(Errc::already_exists)) {
      return created;
    }
    auto opened = open();
    if (!opened.failed_with(Errc::not_found)) {
      return opened;
    }
  }
  return fail(Error(Errc::not_found, call).on(name).because("somebody removes it again and again"));
}

}  // namespace tenon
