#pragma once
/// The file of the lock order in a domain, opened and mapped.
#include <tenon/os/domain.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/sync/lock_order_layout.hpp>

namespace tenon {

class LockOrderMapping {
 public:
  /// Opens it, or makes it: nobody sees it before it is whole, and its memory is there. Whoever may write the domain's
  /// directory may write it. Failures: corrupt (with the path), version_mismatch, permission_denied (another user's,
  /// whose number is told; a symlink), wrong_kind, no_space, limit_reached (descriptors).
  static Result<LockOrderMapping> open_or_create(const Domain& domain);

  LockOrderFile& content() const noexcept { return *content_; }
  /// Whether its name was taken away: who comes now makes another.
  bool was_removed() const noexcept;

 private:
  LockOrderMapping(Fd file, Mapping memory) noexcept;
  static Result<LockOrderMapping> open(const Domain& domain);

  Fd file_;
  Mapping memory_;
  LockOrderFile* content_;
};

}  // namespace tenon
