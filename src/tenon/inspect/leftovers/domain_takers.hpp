#pragma once
/// Who takes part in what stands in a domain, as its files say.
#include <tenon/inspect/leftovers/takers.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/life_member.hpp>
#include <tenon/os/life_peer.hpp>

#include <span>
#include <string>
#include <vector>

namespace tenon::inspect {

/// Something that goes with the last who takes part in it.
struct TakenPart {
  std::string name;
  std::vector<std::string> files;  ///< in the domain
  Takers takers;
  /// Where others live: what of it may go at once, in the domain. What a dead publisher has published may still be
  /// received, and is not among them.
  std::vector<std::string> files_of_dead = {};
};

/// Reads what the names lead to. What cannot be read is told in `unseen`, which it borrows.
class DomainTakers {
 public:
  DomainTakers(FdView directory, Lives& lives, std::vector<std::string>& unseen) noexcept
      : directory_(directory), lives_(&lives), unseen_(&unseen) {}

  std::vector<TakenPart> channels(std::span<const std::string> names);
  std::vector<TakenPart> topics(std::span<const std::string> names);
  std::vector<TakenPart> services(std::span<const std::string> names);
  std::vector<TakenPart> streams(std::span<const std::string> names);

 private:
  void miss(const std::string& what, const Error& error);
  bool add_ends(TakenPart& part, const std::string& directory);
  bool add_inboxes(TakenPart& part, const std::string& directory);

  FdView directory_;
  Lives* lives_;
  std::vector<std::string>* unseen_;
};

/// Of the member with that life file, whether it has joined yet or not. Failures: as Peer::open().
Result<Standing> standing_at(FdView directory, const LifeName& name);

}  // namespace tenon::inspect
