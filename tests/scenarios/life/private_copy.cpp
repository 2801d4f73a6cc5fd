// A library that brings a whole Tenon of its own: see CMakeLists.txt. What is exported is plain C.
#include <tenon/os/life.hpp>
#include <tenon/os/life_roster.hpp>
#include <tenon/os/life_sweep.hpp>

#include <optional>

#define LIFE_COPY_EXPORT extern "C" [[gnu::visibility("default")]]

namespace {

std::optional<tenon::Domain> domain;
std::optional<tenon::Life> life;

}  // namespace

/// Joins; 0 if that fails.
LIFE_COPY_EXPORT std::uint64_t life_copy_join(const char* path) {
  domain.emplace(tenon::Domain::open(path).or_throw());
  life.emplace(tenon::Life::join(*domain).or_throw());
  return life->token().value();
}

/// The tenon::Standing of another, asked in each way there is; 255 if they differ. Whatever is opened is closed again.
LIFE_COPY_EXPORT unsigned life_copy_standing(std::uint64_t of) {
  const tenon::Token token = tenon::Token::from(of);
  const auto by_name = standing_of(*domain, token).or_throw();
  const auto by_peer =
      tenon::Peer::open(*domain, token).and_then([](const tenon::Peer& peer) { return peer.standing(); });
  tenon::sweep(*domain).or_throw();
  bool in_roster = false;
  for (const tenon::Member& member : tenon::Roster::open(*domain).or_throw().members()) {
    in_roster = in_roster || member.token == token;
  }
  const bool agree = in_roster == (by_name == tenon::Standing::alive) &&
                     (by_peer ? *by_peer == by_name : by_name == tenon::Standing::absent);
  return agree ? static_cast<unsigned>(by_name) : 255;
}

LIFE_COPY_EXPORT void life_copy_leave() {
  std::move(*life).leave().or_throw();
  life.reset();
}

/// The address of something that there would be once only, if there were one Tenon.
LIFE_COPY_EXPORT const void* life_copy_identity() { return &domain; }
