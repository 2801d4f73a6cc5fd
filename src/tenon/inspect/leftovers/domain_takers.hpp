#pragma once
/// Who takes part in what stands in a domain, as its files say.
#include <tenon/inspect/leftovers/takers.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/life_member.hpp>
#include <tenon/os/life_peer.hpp>
#include <tenon/os/token.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
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

  struct OwnedFile {
    Token life;
    bool goes_with_it;  // at once, where others live
  };
  using OwnerOf = std::optional<OwnedFile> (*)(std::string_view name);
  static std::optional<OwnedFile> owner_of_end(std::string_view name);
  static std::optional<OwnedFile> owner_of_inbox(std::string_view name);
  bool add_files(TakenPart& part, const std::string& directory, OwnerOf owner_of);
  std::vector<TakenPart> folders(std::span<const std::string> names, std::string_view prefix, OwnerOf owner_of);

  FdView directory_;
  Lives* lives_;
  std::vector<std::string>* unseen_;
};

/// Of the member with that life file, whether it has joined yet or not. Failures: as Peer::open().
Result<Standing> standing_at(FdView directory, const LifeName& name);

}  // namespace tenon::inspect
