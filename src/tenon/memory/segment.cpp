#include <tenon/memory/segment.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/ipc/memfd/memfd.hpp>
#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/memory/segment_header.hpp>
#include <tenon/memory/segment_pages.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::uint64_t grain = 8192;  // two pages, so that `most` is a number of arenas
constexpr int most_turns = 16;         // each lost turn is somebody else's create or unlink in between

// Whole pages, and a `most` that is no less.
Result<SegmentSize> checked(SegmentSize size, Pages pages) {
  const bool possible = size.bytes >= 2 * segment_arena && std::max(size.bytes, size.most) <= segment_most_bytes;
  if (!possible) {
    return fail(Error(Errc::invalid_argument, "segment").because("a segment has 16 KiB to 512 GiB"));
  }
  if (pages == Pages::huge && size.most > size.bytes) {
    return fail(Error(Errc::not_supported, "segment").because("what has huge pages keeps its size"));
  }
  const auto whole = [](std::uint64_t bytes) { return (bytes + grain - 1) / grain * grain; };
  return SegmentSize{.bytes = whole(size.bytes), .most = whole(std::max(size.bytes, size.most))};
}

Result<SegmentSize> checked_sysv(SysvKey key, SegmentSize size, Pages pages) {
  return checked(size, pages).and_then([&](SegmentSize whole) -> Result<SegmentSize> {
    if (whole.most > whole.bytes) {
      return fail(Error(Errc::not_supported, "segment").on(key.text()).because("System V memory keeps its size"));
    }
    return whole;
  });
}

Result<std::uint64_t> backed_bytes(FdView file, const std::string& name) {
  struct stat status{};
  if (::fstat(file.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(name));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

// A private copy, so that nobody changes it between the check and the use; read, since huge pages map only whole.
Result<SegmentHeader> copy_of_header(FdView file, const std::string& name) {
  SegmentHeader copy{};
  constexpr std::size_t wanted = offsetof(SegmentHeader, more_reserved);
  const ssize_t got = uninterrupted([&] { return ::pread(file.raw(), &copy, wanted, 0); });
  if (got == -1) {
    return fail(os_failure("pread", errno).on(name));
  }
  if (static_cast<std::size_t>(got) < wanted) {
    return fail(Error(Errc::wrong_kind, "segment").on(name).because("it is too short for a segment"));
  }
  return copy;
}

// Makes a segment in a file that nobody else sees yet.
Result<void> write_to(FdView file, SegmentSize whole, const SegmentOptions& options) {
  return Mapping::of_file(file, whole.bytes, Access::read_write).transform([&](const Mapping& map) {
    write_segment(map.bytes(), whole.most, options.type);
  });
}

}  // namespace

Result<Segment> Segment::over(FdView file, std::string name, const SegmentOptions& options) {
  // The header first: if it grows in between, the kernel's count is the larger one.
  auto size = copy_of_header(file, name).and_then([&](const SegmentHeader& copy) {
    return backed_bytes(file, name).and_then([&](std::uint64_t backed) {
      return check_segment(copy, backed, options.type).transform([&](std::uint64_t most) {
        return SegmentSize{.bytes = backed, .most = most};
      });
    });
  });
  if (!size) {
    return fail(std::move(size.error()).on(name));
  }
  return Mapping::of_file(file, size->most, Access::read_write).and_then([&](Mapping memory) -> Result<Segment> {
    auto prepared = prepare_pages(memory.bytes().first(size->bytes), options.map);
    if (!prepared) {
      return fail(std::move(prepared.error()).on(name));
    }
    return Segment(std::make_unique<SegmentState>(std::move(memory), std::nullopt, size->most, size->bytes, size->bytes,
                                                  std::move(name)));
  });
}

Result<Segment> Segment::over(Fd file, std::string name, const SegmentOptions& options) {
  return over(file.view(), std::move(name), options).transform([&](Segment segment) {
    segment.state_->file = std::move(file);
    return segment;
  });
}

Segment Segment::named(Segment segment, PosixMemory memory) {
  segment.state_->name = memory.name();
  segment.state_->file = std::move(memory).into_fd();
  segment.state_->has_name = true;
  return segment;
}

Result<Segment> Segment::over(SysvMemory memory, SysvKey key, const SegmentOptions& options) {
  return memory.attach(Access::read_write).and_then([&](Mapping map) -> Result<Segment> {
    SegmentHeader copy{};
    std::memcpy(&copy, map.data(), std::min(map.size(), offsetof(SegmentHeader, more_reserved)));
    const std::uint64_t size = map.size();
    auto checked = check_segment(copy, size, options.type).and_then([&](std::uint64_t) {
      return prepare_pages(map.bytes(), options.map);
    });
    if (!checked) {
      return fail(std::move(checked.error()).on(key.text()));
    }
    Segment made(std::make_unique<SegmentState>(std::move(map), std::nullopt, size, size, size, key.text()));
    made.state_->sysv = std::move(memory);
    return made;
  });
}

Result<Segment> Segment::create(std::string_view name, SegmentSize size, const SegmentOptions& options) {
  if (options.pages == Pages::huge) {
    return fail(Error(Errc::not_supported, "segment")
                    .on(name)
                    .because("/dev/shm has huge pages where it was mounted with huge=, not where a program asks"));
  }
  return checked(size, options.pages).and_then([&](SegmentSize whole) {
    // All that may fail comes before the name, lest others meet a segment that its creator has given up.
    std::optional<Segment> made;
    const auto prepare = [&](FdView file) {
      return write_to(file, whole, options)
          .and_then([&] { return over(file, std::string(name), options); })
          .transform([&](Segment segment) { made = std::move(segment); });
    };
    return PosixMemory::create_prepared(name, whole.bytes, options.permissions, prepare)
        .transform([&](PosixMemory memory) { return named(std::move(*made), std::move(memory)); });
  });
}

Result<Segment> Segment::open(std::string_view name, const SegmentOptions& options) {
  return PosixMemory::open(name, Access::read_write).and_then([&](PosixMemory memory) {
    return over(memory.fd(), memory.name(), options).transform([&](Segment segment) {
      return named(std::move(segment), std::move(memory));
    });
  });
}

Result<Segment> Segment::open_or_create(std::string_view name, SegmentSize size, const SegmentOptions& options) {
  for (int turn = 0; turn < most_turns; ++turn) {
    auto opened = open(name, options);
    if (opened.failed_with(Errc::stale)) {
      // Whoever made it died before it had a length; who replaces it makes a whole one.
      auto replaced = checked(size, options.pages).and_then([&](SegmentSize whole) {
        const auto write = [&](MutableBytes memory) { write_segment(memory, whole.most, options.type); };
        return PosixMemory::open_or_create(name, whole.bytes, options.permissions, write);
      });
      if (!replaced) {
        return fail(std::move(replaced.error()));
      }
      continue;
    }
    if (!opened.failed_with(Errc::not_found)) {
      return opened;
    }
    auto created = create(name, size, options);
    if (!created.failed_with(Errc::already_exists)) {
      return created;
    }
  }
  return fail(Error(Errc::not_found, "segment").on(name).because("somebody removes it again and again"));
}

Result<Segment> Segment::create_unnamed(std::string_view label, SegmentSize size, const SegmentOptions& options) {
  return checked(size, options.pages).and_then([&](SegmentSize whole) {
    return Memfd::create(label, whole.bytes, options.permissions, options.pages).and_then([&](Memfd memory) {
      return write_to(memory.fd(), whole, options).and_then([&] {
        return over(std::move(memory).into_fd(), std::string(label), options);
      });
    });
  });
}

Result<Segment> Segment::adopt(Fd file, const SegmentOptions& options) { return over(std::move(file), "", options); }

Result<Segment> Segment::create(SysvKey key, SegmentSize size, const SegmentOptions& options) {
  return checked_sysv(key, size, options.pages).and_then([&](SegmentSize whole) {
    const auto write = [&](MutableBytes memory) { write_segment(memory, whole.most, options.type); };
    return SysvMemory::create(key, whole.bytes, options.permissions, write, options.pages)
        .and_then([&](SysvMemory memory) {
          const int id = memory.id();
          auto made = over(std::move(memory), key, options);
          if (!made) {
            (void)SysvMemory::remove(id);  // this very one; why it could not be used tells more
          }
          return made;
        });
  });
}

Result<Segment> Segment::open(SysvKey key, const SegmentOptions& options) {
  return SysvMemory::open(key).and_then([&](SysvMemory memory) { return over(std::move(memory), key, options); });
}

// Opened first, whatever its length is; then what is not there, or not whole, is made.
Result<Segment> Segment::open_or_create(SysvKey key, SegmentSize size, const SegmentOptions& options) {
  if (options.pages == Pages::huge) {
    return fail(Error(Errc::not_supported, "segment").on(key.text()).because("only create() makes one of huge pages"));
  }
  auto opened = open(key, options);
  if (!opened.failed_with(Errc::not_found) && !opened.failed_with(Errc::stale)) {
    return opened;
  }
  return checked_sysv(key, size, options.pages).and_then([&](SegmentSize whole) {
    const auto write = [&](MutableBytes memory) { write_segment(memory, whole.most, options.type); };
    auto made =
        SysvMemory::open_or_create(key, whole.bytes, options.permissions, write).and_then([&](SysvMemory memory) {
          return over(std::move(memory), key, options);
        });
    // Another may have made a shorter one meanwhile.
    return made.failed_with(Errc::invalid_argument) ? open(key, options) : std::move(made);
  });
}

Result<LockedSegment> Segment::lock(Deadline deadline, TakenAt at) & {
  return locked(state_->lock().lock(deadline, at));
}

Result<LockedSegment> Segment::try_lock(TakenAt at) & { return locked(state_->lock().try_lock(at)); }

Result<LockedSegment> Segment::locked(Result<MutexGuard> guard) {
  if (!guard) {
    return fail(std::move(guard.error()));
  }
  const SegmentHeader& header = state_->header();
  const bool left_whole = !guard->owner_died() && loaded(header.journal.count) == 0 && loaded(header.gap.active) == 0;
  if (left_whole && loaded(header.size) == state_->size) [[likely]] {
    return LockedSegment(std::move(*guard), *state_);
  }
  Result<LockedSegment> locked = LockedSegment(std::move(*guard), *state_);
  Result<void> ready = left_whole ? Result<void>() : locked->recover();
  if (ready) {
    ready = locked->learn_size();
  }
  if (!ready) {
    return fail(std::move(ready.error()));
  }
  return locked;
}

// Its maps hold it, so its number leads to no other.
Result<void> Segment::sysv_still_there() const {
  return state_->sysv->status().and_then([&](const SysvMemoryStatus& status) -> Result<void> {
    if (status.marked_for_removal) {
      return fail(Error(Errc::not_found, "segment").on(state_->name).because("its key was removed"));
    }
    return {};
  });
}

Result<void> Segment::still_there() const {
  if (!state_->file) {
    return sysv_still_there();
  }
  const std::uint64_t backed = state_->backed();  // first: another thread may make it longer meanwhile
  struct stat status{};
  if (::fstat(state_->file->view().raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(state_->name));
  }
  if (static_cast<std::uint64_t>(status.st_size) < backed) {
    return fail(Error(Errc::corrupt, "segment")
                    .on(state_->name)
                    .because("somebody has truncated it to " + std::to_string(status.st_size) + " of " +
                             std::to_string(backed) + " bytes; touching the rest raises SIGBUS"));
  }
  if (status.st_nlink == 0 && state_->has_name) {
    return fail(Error(Errc::not_found, "segment").on(state_->name).because("its name was removed"));
  }
  return {};
}

FdView Segment::fd() const {
  expects(state_->file.has_value(), "System V memory has no descriptor");
  return state_->file->view();
}

Result<void> Segment::unlink(std::string_view name) { return PosixMemory::unlink(name); }

Result<void> Segment::unlink(SysvKey key) { return SysvMemory::unlink(key); }

}  // namespace tenon
