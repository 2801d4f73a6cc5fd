#pragma once
/// Memory that processes share objects in: named, allocated and freed, whole even when whoever changed it was killed.
/// shm_overview(7), memfd_create(2), sysvipc(7)
#include <tenon/base/deadline.hpp>
#include <tenon/base/permissions.hpp>
#include <tenon/memory/locked_segment.hpp>
#include <tenon/memory/type_description.hpp>
#include <tenon/os/huge_pages.hpp>
#include <tenon/os/sysv_key.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tenon {

class PosixMemory;
class SysvMemory;

/// Bytes, rounded up to a multiple of 8 KiB, which the segment itself has; of huge pages exactly whole ones.
struct SegmentSize {
  std::uint64_t bytes;     ///< to begin with, all of them there
  std::uint64_t most = 0;  ///< how long it may become: address space, no memory; 0: no longer than it begins
};

/// What is asked of the kernel for this process's map of a segment.
struct SegmentMap {
  bool populated = false;  ///< every page is in the page table before the first touch. madvise(2), MADV_POPULATE_WRITE
  bool locked = false;     ///< none is swapped out; what the segment grows by later is not covered. mlock(2)
};

struct SegmentOptions {
  /// What the segment as a whole is. Who opens it with another type is refused; without one (an empty name) any will
  /// do.
  TypeDescription type = {};
  Permissions permissions = owner_only;  ///< of a new one
  Pages pages = Pages::ordinary;         ///< of a new one: huge ones where there is no name in /dev/shm
  SegmentMap map = {};
};

/// All who may write a segment trust each other: what stands in it is held against its bounds and called corrupt where
/// it cannot be, so a stray write ends nobody; but who means harm can hold the lock for ever.
///
/// Threads: all calls but moves from several at once. fork: works in the child; a LockedSegment is its parent's, and
/// the child leaves its copy of one alone.
class Segment {
 public:
  /// A new one in /dev/shm. It has no name until it is complete and mapped here, so nobody meets it half-made, and one
  /// that fails leaves nothing. Outcomes: already_exists. Failures: those of PosixMemory::create; invalid_argument
  /// (less than 16 KiB, more than 512 GiB).
  static Result<Segment> create(std::string_view name, SegmentSize size, const SegmentOptions& options = {});
  /// Outcomes: not_found, stale. Failures: those of PosixMemory::open; wrong_kind (no segment), version_mismatch and
  /// type_mismatch with both, corrupt.
  static Result<Segment> open(std::string_view name, const SegmentOptions& options = {});
  /// Opens it, as long as it is, or makes it; replaces one whose creator died half-way. What it replaced that one by is
  /// whole, may be open elsewhere already, and stays if it cannot be mapped here.
  static Result<Segment> open_or_create(std::string_view name, SegmentSize size, const SegmentOptions& options = {});

  /// A new one without a name, which others get by its descriptor, and open with adopt(). `label` is for /proc alone.
  static Result<Segment> create_unnamed(std::string_view label, SegmentSize size, const SegmentOptions& options = {});
  /// Opens the segment that a descriptor leads to, wherever it came from. Failures: those of open.
  static Result<Segment> adopt(Fd file, const SegmentOptions& options = {});

  /// A new one in System V memory, which cannot grow. Whose creator dies half-way has its key until open_or_create
  /// replaces it. Outcomes: already_exists. Failures: those of SysvMemory::create.
  static Result<Segment> create(SysvKey key, SegmentSize size, const SegmentOptions& options = {});
  /// Waits at most 100 ms for one that is not yet initialised. Outcomes: not_found, stale. Failures: those of
  /// SysvMemory::open, and of open.
  static Result<Segment> open(SysvKey key, const SegmentOptions& options = {});
  /// Opens it, as long as it is, or makes it, of ordinary pages; replaces one whose creator died half-way. Outcomes:
  /// stale (its creator is still at it). Failures: those of open, and of create.
  static Result<Segment> open_or_create(SysvKey key, SegmentSize size, const SegmentOptions& options = {});

  /// Everything is done under the lock. What the last holder left unfinished, since it died, is undone first: see
  /// LockedSegment::recovered. Outcomes: timed_out, stopped, not_recoverable. Failures: corrupt.
  Result<LockedSegment> lock(Deadline deadline, TakenAt at = TakenAt::current()) &;
  Result<LockedSegment> lock(Deadline deadline) && = delete;  // the lock would outlive the memory that it stands in
  /// Outcomes: would_block, not_recoverable. Failures: corrupt.
  Result<LockedSegment> try_lock(TakenAt at = TakenAt::current()) &;
  Result<LockedSegment> try_lock() && = delete;

  /// Whether the memory is still all there and still has its name: nothing else tells before SIGBUS does, or before two
  /// groups of processes wait for each other in two segments of one name. Outcomes: not_found (its name or key was
  /// removed, or leads to another by now). Failures: corrupt (somebody has truncated it); permission_denied (System V
  /// memory that its owner has made unreadable since).
  Result<void> still_there() const;

  /// How long it may become, in bytes.
  std::uint64_t most() const noexcept { return state_->most; }
  /// As "/orders"; "label" or "0x4d2" of those that have none in /dev/shm; empty if it was adopted.
  const std::string& name() const noexcept { return state_->name; }
  /// To hand to others. System V memory has none: a broken contract.
  FdView fd() const;

  /// Removes the name; who has it open goes on. Outcomes: not_found. Failures: wrong_kind, permission_denied.
  static Result<void> unlink(std::string_view name);
  static Result<void> unlink(SysvKey key);

 private:
  explicit Segment(std::unique_ptr<SegmentState> state) noexcept : state_(std::move(state)) {}
  static Result<Segment> over(FdView file, std::string name, const SegmentOptions& options);
  static Result<Segment> over(Fd file, std::string name, const SegmentOptions& options);
  static Result<Segment> over(SysvMemory memory, SysvKey key, const SegmentOptions& options);
  static Segment named(Segment segment, PosixMemory memory);
  Result<LockedSegment> locked(Result<MutexGuard> guard);
  Result<void> sysv_still_there() const;

  std::unique_ptr<SegmentState> state_;  // at one place, so that a LockedSegment outlives a move
};

}  // namespace tenon
