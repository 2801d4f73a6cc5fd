#include <tenon/memory/locked_segment.hpp>

#include <tenon/os/reserve.hpp>

#include <algorithm>
#include <cerrno>
#include <string>
#include <sys/stat.h>

namespace tenon {

namespace {

constexpr std::uint64_t page = 4096;

Result<std::uint64_t> length_of(FdView file) {
  struct stat status{};
  if (::fstat(file.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

Error LockedSegment::leads_astray(std::uint64_t offset) {
  return Error(Errc::corrupt, "segment")
      .because("a pointer leads to byte " + std::to_string(offset) + ", where nothing of its type can stand");
}

// Until the journal is empty again the lock is not called consistent: who cannot undo what was left leaves it
// not_recoverable to all, rather than let anybody go on with it.
Result<void> LockedSegment::recover() {
  if (state_->file) {
    auto length = length_of(state_->file->view());
    if (!length) {
      return fail(std::move(length.error()).on(state_->name));
    }
    // Killed while it grew, it may have left memory behind the end, which nobody would use or give back.
    give_back(state_->file->view(), *length, state_->most);
    state_->set_backed(std::min(*length, state_->most));
  }
  arena_ = Arena(state_->memory.data(), state_->backed());
  journal_.set_arena(arena_);
  if ((gap().is_active() && !gap().finish()) || !journal_.roll_back()) {
    return fail(Error(Errc::corrupt, "segment")
                    .on(state_->name)
                    .because("its last holder died, and what is noted of what it was doing cannot be"));
  }
  guard_.mark_consistent();
  recovered_ = true;
  return {};
}

// How long the segment says that it is, held against how much memory the kernel has for it.
Result<void> LockedSegment::learn_size() {
  const std::uint64_t size = loaded(state_->header().size);
  if (size > state_->backed() && state_->file && size <= state_->most) {
    if (auto length = length_of(state_->file->view())) {
      state_->set_backed(std::min(*length, state_->most));
    }
  }
  if (size > state_->backed() || size % page != 0 || size <= segment_arena) {
    return fail(Error(Errc::corrupt, "segment")
                    .on(state_->name)
                    .because("it says that it has " + std::to_string(size) + " bytes, and has " +
                             std::to_string(state_->backed())));
  }
  state_->size = size;
  arena_ = Arena(state_->memory.data(), size);
  journal_.set_arena(arena_);
  return {};
}

Result<std::uint64_t> LockedSegment::find_object(std::string_view name, const TypeDescription& type) const {
  NamedObjects::Place at;
  if (auto sought = objects().seek(name, at); !sought) {
    return fail(std::move(sought.error()));
  }
  if (at.object == nullptr) {
    return fail(Errc::not_found, "segment");
  }
  return objects().object_at(at, name, type);
}

Result<void> LockedSegment::remove_object(std::string_view name) {
  NamedObjects::Place at;
  if (auto sought = objects().seek(name, at); !sought) {
    return sought;
  }
  Transaction transaction(journal());
  Allocator blocks = allocator();
  auto removed = objects().remove(at, blocks, journal_);
  if (removed) {
    transaction.commit();
  }
  return removed;
}

// After the object was made, which comes first where room is scarce; without room for it the lists are longer, and no
// more.
void LockedSegment::lengthen_names() {
  Transaction transaction(journal());
  Allocator blocks = allocator();
  if (objects().lengthen(blocks, journal_)) {
    transaction.commit();
  }
}

Result<void> LockedSegment::free_block(std::uint64_t& from) {
  const std::uint64_t offset = loaded(from);
  Transaction transaction(journal());
  transaction.put(from, 0);  // first, for where it may stand, in the block, a list of free blocks has its links then
  auto freed = allocator().free(offset);
  if (freed) {
    transaction.commit();
  }
  return freed;
}

Result<void> LockedSegment::grow(std::uint64_t bytes) {
  expect_locked();
  const std::uint64_t wanted = (std::min(bytes, segment_most_bytes) + page - 1) / page * page;
  if (wanted <= size()) {
    return {};
  }
  if (!state_->file) {
    return fail(Error(Errc::not_supported, "grow").on(state_->name).because("System V memory keeps its size"));
  }
  if (wanted > state_->most) {
    return fail(Error(Errc::limit_reached, "grow")
                    .on(state_->name)
                    .with({.name = "the segment's `most`",
                           .value = state_->most,
                           .wanted = bytes,
                           .remedy = "it was chosen when the segment was created, and cannot be changed"}));
  }
  // By the kernel's count, which is the larger one if somebody died between reserving and taking in.
  auto reserved = length_of(state_->file->view()).and_then([&](std::uint64_t now) {
    return now < wanted ? reserve(state_->file->view(), now, wanted) : Result<void>();
  });
  if (!reserved) {
    return fail(std::move(reserved.error()).on(state_->name));
  }
  state_->set_backed(std::max(state_->backed(), wanted));
  return extend(wanted);
}

Result<void> LockedSegment::extend(std::uint64_t size) {
  const Arena before = arena_;
  arena_ = Arena(before.base(), size);
  journal_.set_arena(arena_);
  Transaction transaction(journal());
  transaction.put(state_->header().size, size);
  auto extended = allocator().extend(before.size());
  if (extended) {
    transaction.commit();
    state_->size = size;
  } else {
    arena_ = before;
  }
  return extended;
}

// Twice as long, so that it does not grow at every call, or as long as it has to be where there is no room for that;
// not at all for what would not fit into all that it may be.
bool LockedSegment::grow_by_itself(std::uint64_t needed) {
  constexpr std::uint64_t beside = 2 * Allocator::most_alignment;
  if (needed > state_->most - segment_arena) {
    return false;
  }
  const std::uint64_t enough = std::min(size() + needed + beside, state_->most);
  const std::uint64_t larger = std::min(std::max(size() * 2, enough), state_->most);
  return larger > size() && (grow(larger) || (enough < larger && grow(enough)));
}

}  // namespace tenon
