#include <tenon/inspect/patterns/lock_orders.hpp>

#include <tenon/base/bytes.hpp>
#include <tenon/base/lock_hooks.hpp>
#include <tenon/inspect/patterns/regular_file.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/life_peer.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>
#include <utility>

namespace tenon::inspect {

namespace {

const char* kind_text(std::uint32_t kind) noexcept {
  switch (static_cast<LockKind>(kind)) {
    case LockKind::mutex:
      return "mutex";
    case LockKind::rw_lock:
      return "rw_lock";
    case LockKind::semaphore:
      return "semaphore";
    case LockKind::posix_semaphore:
      return "posix_semaphore";
    case LockKind::sysv_semaphore:
      return "sysv_semaphore";
  }
  return "lock";
}

template <std::size_t Size>
std::string text_in(const std::array<char, Size>& from) {
  return {from.data(), ::strnlen(from.data(), Size)};
}

std::string place_text(const LockOrderFile& file, std::uint32_t number) {
  const PlaceRecord& place = file.places[number % most_places];
  return place.written == lock_order_written ? text_in(place.file) + ":" + std::to_string(place.line)
                                             : "an unknown place";
}

Result<void> check(const LockOrderFile& file, const std::string& path) {
  const LockOrderHeader& header = file.header;
  if (header.magic != lock_order_magic) {
    return fail(Error(Errc::corrupt, "open").on(path).because("it is no order of locks"));
  }
  if (header.layout_version != lock_order_layout_version) {
    return fail(Error(Errc::version_mismatch, "open")
                    .on(path)
                    .because("it has layout " + std::to_string(header.layout_version) + ", and this program knows " +
                             std::to_string(lock_order_layout_version)));
  }
  const bool fits = header.size == sizeof file && header.locks == most_locks && header.orders == most_orders &&
                    header.places == most_places && header.holds == most_holds;
  return fits ? Result<void>()
              : fail(Error(Errc::corrupt, "open").on(path).because("its tables have other sizes than layout 1 has"));
}

Result<void> read_whole(FdView from, LockOrderFile& into, const std::string& path) {
  const MutableBytes bytes = mutable_bytes_of_value(into);
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t part = uninterrupted(
        [&] { return ::pread(from.raw(), bytes.data() + got, bytes.size() - got, static_cast<off_t>(got)); });
    if (part == -1) {
      return fail(os_failure("pread", errno).on(path));
    }
    if (part == 0) {
      return fail(Error(Errc::corrupt, "open")
                      .on(path)
                      .because("it has " + std::to_string(got) + " bytes instead of " + std::to_string(bytes.size())));
    }
    got += static_cast<std::size_t>(part);
  }
  return check(into, path);
}

/// Numbers of the file's table to places in LockOrders::locks, which has only those that there are.
class Locks {
 public:
  Locks(const LockOrderFile& file, LockOrders& into) : place_of_(most_locks, 0) {
    for (std::uint32_t number = 0; number < most_locks; ++number) {
      const LockRecord& record = file.locks[number];
      if (record.key == 0) {
        continue;
      }
      const bool told = record.written == lock_order_written;
      place_of_[number] = static_cast<std::uint32_t>(into.locks.size());
      into.locks.push_back({.name = told ? text_in(record.name) : "lock " + Token::from(record.key).hex(),
                            .kind = kind_text(told ? record.kind : 0),
                            .device = told ? record.device : 0,
                            .inode = told ? record.inode : 0,
                            .offset = told ? record.offset : 0});
    }
  }
  std::uint32_t operator[](std::uint32_t number) const { return place_of_[number]; }

 private:
  std::vector<std::uint32_t> place_of_;
};

void add_orders(const LockOrderFile& file, const Locks& locks, LockOrders& into) {
  for (const OrderRecord& record : file.orders) {
    const OrderWord order = OrderWord::of(record.word);
    const LockRecord& held = file.locks[order.held];
    const LockRecord& wanted = file.locks[order.wanted];
    const bool counts = record.word != 0 && held.key != 0 && wanted.key != 0 &&
                        static_cast<std::uint16_t>(held.generation) == order.held_generation &&
                        static_cast<std::uint16_t>(wanted.generation) == order.wanted_generation;
    if (!counts) {
      continue;
    }
    LockOrderLink link{.held = locks[order.held],
                       .wanted = locks[order.wanted],
                       .standing = OrderWord::standing(record.word),
                       .is_told = record.written == order.key(),
                       .pid = 0,
                       .thread = 0,
                       .process = {},
                       .held_at = {},
                       .wanted_at = {},
                       .when = 0};
    if (link.is_told) {
      link.pid = record.pid;
      link.thread = record.thread;
      link.process = text_in(record.name);
      link.held_at = place_text(file, record.held_at);
      link.wanted_at = place_text(file, record.wanted_at);
      link.when = record.when;
    }
    into.orders.push_back(std::move(link));
  }
  std::ranges::sort(into.orders, {},
                    [](const LockOrderLink& link) { return std::tuple(link.when, link.held, link.wanted); });
}

// Who cannot be asked is alive.
void add_holds(const LockOrderFile& file, const Locks& locks, const Domain& domain, LockOrders& into) {
  const auto members = LifeName::all_in(domain.directory());
  for (const HoldRecord& record : file.holds) {
    const HoldWord hold = HoldWord::of(record.what);
    if (record.token == 0 || record.what == 0 || file.locks[hold.lock].key == 0) {
      continue;
    }
    LockHold row{.lock = locks[hold.lock],
                 .token = record.token,
                 .pid = {},
                 .thread = hold.thread,
                 .taken_at = place_text(file, hold.place),
                 .died = false};
    const auto standing = standing_of(domain, Token::from(record.token));
    row.died = standing && *standing != Standing::alive;
    for (const LifeName& name : members ? *members : std::vector<LifeName>()) {
      if (name.who.token.value() == record.token) {
        row.pid = static_cast<std::uint32_t>(name.who.pid);
      }
    }
    into.holds.push_back(std::move(row));
  }
}

}  // namespace

Result<LockOrders> lock_orders(const std::string& domain) {
  struct stat status{};
  const std::string path = domain + "/" + lock_order_name;
  if (::stat(domain.c_str(), &status) == -1) {  // Domain::open would make it
    return fail(os_failure("stat", errno).on(domain));
  }
  const auto opened = Domain::open(domain);
  if (!opened) {
    return fail(Error(opened.error()));
  }
  const auto file = open_regular(opened->directory(), lock_order_name);
  if (!file) {
    return fail(Error(file.error()).on(path));
  }
  const auto content = std::make_unique<LockOrderFile>();
  if (auto whole = read_whole(file->view(), *content, path); !whole) {
    return fail(std::move(whole.error()));
  }
  LockOrders all{.path = path, .since = content->header.made, .locks = {}, .holds = {}, .orders = {}};
  const Locks locks(*content, all);
  add_orders(*content, locks, all);
  add_holds(*content, locks, *opened, all);
  return all;
}

const char* name_of(OrderStanding standing) noexcept {
  switch (standing) {
    case OrderStanding::accepted:
      return "accepted";
    case OrderStanding::refused:
      return "refused";
    default:
      return "proposed";
  }
}

}  // namespace tenon::inspect
