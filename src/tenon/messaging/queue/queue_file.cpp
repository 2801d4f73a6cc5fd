#include <tenon/messaging/queue/queue_file.hpp>

#include <tenon/base/file_identity.hpp>
#include <tenon/base/name.hpp>
#include <tenon/messaging/queue/queue_polls.hpp>
#include <tenon/os/sharing.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::uint64_t usual_blocks = 65536;

constexpr std::uint64_t up_to(std::uint64_t bytes, std::uint64_t multiple) noexcept {
  return (bytes + multiple - 1) / multiple * multiple;
}

Result<std::string> file_name(std::string_view name) {
  constexpr std::string_view prefix = queue_prefix;
  auto text = Name::make(name, prefix.size()).transform([&](const Name& checked) {
    return std::string(prefix) + checked.text();
  });
  return text ? std::move(text) : fail(std::move(text.error()).on(name));
}

// Where things stand, one behind the other.
void place_parts(QueueHeader& header) noexcept {
  std::uint64_t end = queue_type_at;
  const auto place = [&](std::uint64_t& at, std::uint64_t bytes) {
    at = up_to(end, line_pair);
    end = at + bytes;
  };
  place(header.type_at, header.type_bytes);
  place(header.members_at, header.members * sizeof(QueueMember));
  place(header.hints_at, 3 * hint_words(header.slots) * 8);
  place(header.heap_at, header.slots * sizeof(QueueRank));
  place(header.map_at, (header.blocks + std::uint64_t{63}) / 64 * 8);
  place(header.slots_at, header.slots * header.slot_bytes);
  place(header.arena_at, header.blocks * header.block_bytes);
  header.bytes = up_to(end, 64);
}

Error too_large(long double wanted) {
  return Error(Errc::limit_reached, "Queue::create")
      .with({.name = "bytes of a queue",
             .value = most_queue_bytes,
             .wanted = static_cast<std::uint64_t>(std::min(wanted, 9e18L)),
             .remedy = "ask for fewer messages or bytes, or shorter messages"});
}

Result<void> check_header(const QueueHeader& header, std::uint64_t bytes) {
  const auto known =
      check_identity(identity_of(header), {.magic = queue_magic, .layout_version = queue_layout_version});
  if (!known) {
    return known;
  }
  return fits(header, bytes) ? Result<void>()
                             : fail(Error(Errc::corrupt).because("its header does not fit its memory"));
}

}  // namespace

Result<QueueHeader> lay_out(const QueueOptions& options, const QueueType& type) {
  if (options.messages == 0 || options.messages > most_queue_slots || options.members == 0 ||
      options.members > most_queue_members) {
    return fail(
        Error(Errc::invalid_argument, "Queue::create").because("it has 1 to 2^24 messages, and 1 to 4096 members"));
  }
  const bool any_length = type.bytes_of_each == 0;
  QueueHeader header{};
  header.magic = queue_magic;
  header.layout_version = queue_layout_version;
  header.slots = options.messages;
  header.members = options.members;
  header.type_bytes = bytes_of_type_record(type.fields.size());
  header.short_bytes = any_length ? options.short_bytes : type.bytes_of_each;
  const std::uint64_t arena = any_length ? options.bytes : 0;
  // Nothing overflows: a long double holds it as well as an error has to tell it.
  const auto wanted = static_cast<long double>(options.messages) * static_cast<long double>(header.short_bytes) +
                      static_cast<long double>(arena);
  if (wanted > static_cast<long double>(most_queue_bytes) / 2) {
    return fail(too_large(wanted));
  }
  header.slot_bytes = up_to(slot_bytes_at + header.short_bytes, line_pair);
  header.block_bytes = std::bit_ceil(std::max<std::uint64_t>(64, arena / usual_blocks));
  header.blocks = static_cast<std::uint32_t>((arena + header.block_bytes - 1) / header.block_bytes);
  place_parts(header);
  return fits(header, header.bytes) ? Result<QueueHeader>(header) : fail(too_large(wanted));
}

void initialise_queue(MutableBytes memory, QueueHeader header, const QueueType& type, const Holder& maker) noexcept {
  header.made_by = maker.token().value();
  header.id = Token::random().value();
  header.domain_device = maker.domain_id().device;
  header.domain_inode = maker.domain_id().inode;
  std::memcpy(memory.data(), &header, sizeof header);
  write_type(memory.subspan(header.type_at, header.type_bytes), type.description, type.fields);
  const QueueMemory made(memory, header);
  QueueState& state = made.state();
  ::new (state.taking.data()) Mutex;
  ::new (state.allocating.data()) Mutex;
  ::new (state.arrived.data()) QueueBell;
  ::new (state.freed.data()) QueueBell;
  state.free_blocks.store(header.blocks, std::memory_order_relaxed);  // nobody else sees it yet
  auto free = made.free();
  for (std::uint32_t i = 0; i < header.slots; ++i) {
    free.set(i);
  }
}

Result<QueueHeader> check_queue(MutableBytes memory, const QueueType& type, std::string_view name) {
  QueueHeader header{};
  if (memory.size() < sizeof header) {
    return fail(Error(Errc::corrupt).on(name).because("it is shorter than its header"));
  }
  std::memcpy(&header, memory.data(), sizeof header);
  // It may stand in more memory than it takes.
  auto checked = check_header(header, std::min<std::uint64_t>(header.bytes, memory.size())).and_then([&] {
    return read_type(Bytes(memory).subspan(header.type_at, header.type_bytes)).and_then([&](const StoredType& stored) {
      return check_type(stored, type.description, type.fields);
    });
  });
  return checked ? Result<QueueHeader>(header) : fail(std::move(checked.error()).on(name));
}

Result<QueueFile> QueueFile::create(const Holder& maker, std::string_view name, const QueueOptions& options,
                                    const QueueType& type) {
  auto header = lay_out(options, type);
  const auto file = file_name(name);
  const auto sharing = Sharing::of(maker.domain().directory());
  if (!header || !file || !sharing) {
    return fail(!header ? std::move(header.error()).on(name) : Error(!file ? file.error() : sharing.error()));
  }
  const Permissions permissions = sharing->is_shared() ? owner_and_group : owner_only;
  const auto make = [&] {
    return make_shared_file(maker.domain().directory(), *file, header->bytes, permissions,
                            [&](MutableBytes memory) { initialise_queue(memory, *header, type, maker); });
  };
  auto made = make();
  // Whoever removes one may have been killed before its name was gone.
  if (made.failed_with(Errc::already_exists) && open(maker.domain(), name, type).failed_with(Errc::not_found)) {
    made = make();
  }
  return std::move(made).transform([](SharedFile shared) {
    QueueHeader written{};
    std::memcpy(&written, shared.memory.data(), sizeof written);
    return QueueFile(std::move(shared.fd), std::move(shared.memory), written);
  });
}

Result<QueueFile> QueueFile::open_any(const Domain& domain, const std::string& file) {
  auto opened = open_shared_file(domain.directory(), file, Access::read_write);
  if (!opened) {
    return fail(std::move(opened.error()).on(domain.path() + "/" + file));
  }
  QueueHeader header{};
  auto memory = read_beginning(opened->fd.view(), mutable_bytes_of_value(header))
                    .and_then([&] { return check_header(header, opened->bytes); })
                    .and_then([&] { return Mapping::of_file(opened->fd.view(), opened->bytes, Access::read_write); });
  if (!memory) {
    return fail(std::move(memory.error()).on(file));
  }
  return QueueFile(std::move(opened->fd), std::move(*memory), header);
}

Result<QueueFile> QueueFile::open(const Domain& domain, std::string_view name, const QueueType& type) {
  const auto file = file_name(name);
  if (!file) {
    return fail(Error(file.error()));
  }
  auto opened = open_any(domain, *file);
  // relaxed: a flag, set for good
  if (opened && opened->memory().state().removed.load(std::memory_order_relaxed) != 0) {
    auto gone = own_name(domain, *file, opened->fd_.view()).and_then([&] { return take_name_away(domain, *file); });
    return fail(gone ? Error(Errc::not_found).on(domain.path() + "/" + *file) : std::move(gone.error()));
  }
  if (opened) {
    if (auto checked = check_queue(opened->mapping_.bytes(), type, *file); !checked) {
      return fail(std::move(checked.error()));
    }
  }
  return opened;
}

// Everybody who removes it holds the lock on this very file, and looks whether the name is still this one's.
Result<void> QueueFile::own_name(const Domain& domain, const std::string& file, FdView opened) {
  if (uninterrupted([&] { return ::flock(opened.raw(), LOCK_EX); }) == -1) {
    return fail(os_failure("flock", errno).on(file));
  }
  struct stat named{};
  struct stat own{};
  const bool is_there = ::fstatat(domain.directory().raw(), file.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                        ::fstat(opened.raw(), &own) == 0 && named.st_ino == own.st_ino && named.st_dev == own.st_dev;
  return is_there ? Result<void>() : fail(Error(Errc::not_found, "unlinkat").on(file));
}

Result<void> QueueFile::take_name_away(const Domain& domain, const std::string& file) {
  return ::unlinkat(domain.directory().raw(), file.c_str(), 0) == 0 ? Result<void>()
                                                                    : fail(os_failure("unlinkat", errno).on(file));
}

Result<void> QueueFile::remove(const Domain& domain, std::string_view name) {
  const auto file = file_name(name);
  if (!file) {
    return fail(Error(file.error()));
  }
  auto opened = open_any(domain, *file);
  if (!opened) {
    return fail(std::move(opened.error()));
  }
  // First: whoever finds it removed finishes the removal, and it would seem to this one that somebody was faster.
  if (auto owned = own_name(domain, *file, opened->fd_.view()); !owned) {
    return owned;
  }
  opened->say_removed();
  const QueueMemory queue = opened->memory();
  QueuePolls polls(domain, queue);
  polls.ring(QueueNews::message);
  polls.ring(QueueNews::room);
  for (std::uint32_t i = 0; i < queue.header().members; ++i) {
    // relaxed: a name
    if (const Token token = Token::from(queue.member(i).token.load(std::memory_order_relaxed)); !token.is_nobody()) {
      polls.remove_sockets(i, token);  // those of the dead would stay
    }
  }
  return take_name_away(domain, *file);
}

void QueueFile::say_removed() const noexcept {
  const QueueMemory queue = memory();
  queue.state().removed.store(1, std::memory_order_seq_cst);  // B1, as all news
  queue.arrived().ring_all();
  queue.freed().ring_all();
}

bool QueueFile::has_name() const noexcept {
  struct stat status{};
  return ::fstat(fd_.raw(), &status) == -1 || status.st_nlink != 0;
}

}  // namespace tenon
