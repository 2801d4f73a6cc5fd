#pragma once
/// The file of a Rendezvous, opened and locked: the layout is drawn in rendezvous.hpp.
#include <tenon/base/deadline.hpp>
#include <tenon/channel/rendezvous_layout.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/token.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tenon {

/// An open file and the flock(2) on it.
class FlockedFile {
 public:
  /// Outcomes: timed_out, stopped.
  static Result<FlockedFile> take(Fd file, Deadline deadline);
  FlockedFile(FlockedFile&&) noexcept = default;
  FlockedFile& operator=(FlockedFile&&) = delete;
  /// Unlocks before it closes: a child that another thread has forked meanwhile shares the lock, and closing alone
  /// would leave it with the child.
  ~FlockedFile();

  FdView file() const noexcept { return file_.view(); }

 private:
  explicit FlockedFile(Fd file) noexcept : file_(std::move(file)) {}
  Fd file_;
};

/// Holds the lock until it goes. One thread at a time.
class RendezvousFile {
 public:
  static constexpr std::size_t records_at = rendezvous_records_at;
  static constexpr std::size_t longest_uri = records_at - sizeof(RendezvousHeader);
  static constexpr std::size_t most_records = most_rendezvous_records;
  static constexpr std::size_t place_of(std::size_t slot) noexcept {
    return records_at + slot * sizeof(RendezvousRecord);
  }

  /// "channel." and a hash of the URI.
  static std::string name_for(const std::string& uri);

  /// Opens and locks it, made if missing. Outcomes: timed_out, stopped. Failures: corrupt (with the file's path),
  /// version_mismatch, no_space, permission_denied.
  static Result<RendezvousFile> lock_or_create(const Domain& domain, const std::string& uri, Deadline deadline);
  /// Outcomes: also not_found.
  static Result<RendezvousFile> lock(const Domain& domain, const std::string& name, Deadline deadline);

  const std::string& uri() const noexcept { return uri_; }
  /// Whether a channel made the object, so that the last one out removes it.
  bool object_made() const noexcept { return header_.made != 0; }
  /// Which object it is, 0 if that was not noted yet.
  std::uint64_t object() const noexcept { return header_.object; }
  Result<void> note_object(bool made, std::uint64_t object);

  /// By slot; those with token 0 are free.
  const std::vector<RendezvousRecord>& records() const noexcept { return records_; }
  /// Writes one record; `slot` may be one past the last. Failures: no_space, limit_reached (most_records).
  Result<void> write(std::size_t slot, const RendezvousRecord& record);
  std::optional<std::size_t> slot_of(Token token) const;
  /// The first free slot, or one past the last.
  std::size_t free_slot() const;

  /// The same file once more, for reading without the lock; it tells when its name was removed. Outcomes: not_found.
  Result<Fd> open_for_watching(const Domain& domain) const;
  /// Removes the file's name; the lock stays until the handle goes.
  Result<void> remove(const Domain& domain);

 private:
  RendezvousFile(FlockedFile lock, std::string name) : lock_(std::move(lock)), name_(std::move(name)) {}
  static Result<RendezvousFile> open_locked(const Domain& domain, const std::string& name, bool create,
                                            Deadline deadline);
  Result<void> load();
  Result<void> initialise(const std::string& uri);
  Result<void> load_or_initialise(const Domain& domain, const std::string& uri);

  FlockedFile lock_;
  std::string name_;
  std::string uri_;
  RendezvousHeader header_{};
  std::vector<RendezvousRecord> records_;
};

}  // namespace tenon
