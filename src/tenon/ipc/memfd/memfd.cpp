#include <tenon/ipc/memfd/memfd.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/reserve.hpp>
#include <tenon/os/system_call.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// Newer than the C library of Debian 12. linux/memfd.h, linux/fcntl.h
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace tenon {

namespace {

constexpr std::size_t name_prefix = 6;  // the kernel keeps "memfd:NAME" as one name

struct Row {
  Seals seal;
  const char* name;
};

constexpr std::array rows = {
    Row{Seals::seal, "seal"},
    Row{Seals::shrink, "shrink"},
    Row{Seals::grow, "grow"},
    Row{Seals::write, "write"},
    Row{Seals::future_write, "future_write"},
    Row{Seals::exec, "exec"},
};

// The kernel's own bits. linux/fcntl.h
static_assert(F_SEAL_SEAL == static_cast<int>(Seals::seal) && F_SEAL_SHRINK == static_cast<int>(Seals::shrink));
static_assert(F_SEAL_GROW == static_cast<int>(Seals::grow) && F_SEAL_WRITE == static_cast<int>(Seals::write));

constexpr Seals both(Seals a, Seals b) {
  return static_cast<Seals>(static_cast<std::uint8_t>(a) & static_cast<std::uint8_t>(b));
}

Seals without(Seals all, Seals some) {
  return static_cast<Seals>(static_cast<std::uint8_t>(all) & ~static_cast<std::uint8_t>(some));
}

// Never executable, where the kernel can see to that: Linux 6.3.
Result<Fd> new_file(const std::string& name, Pages pages) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (pages == Pages::huge ? MFD_HUGETLB : 0);
  int raw = ::memfd_create(name.c_str(), flags | MFD_NOEXEC_SEAL);
  if (raw == -1 && errno == EINVAL) {
    raw = ::memfd_create(name.c_str(), flags);
  }
  if (raw == -1) {
    return fail(
        (pages == Pages::huge ? huge_page_failure("memfd_create", errno, 0) : descriptor_failure("memfd_create", errno))
            .on(name));
  }
  return Fd::adopt(raw);
}

Error seal_failure(int os_error) {
  switch (os_error) {
    case EBUSY:
      return Error(Errc::would_block, "fcntl", os_error).because("somebody has it mapped for writing");
    case EPERM:
      return Error(Errc::permission_denied, "fcntl", os_error)
          .because("it is sealed against sealing, or opened for reading alone");
    case EINVAL:
      return Error(Errc::not_supported, "fcntl", os_error)
          .because("no memory that can be sealed, or a seal that this kernel does not know");
    default:
      return os_failure("fcntl", os_error);
  }
}

Error no_seals(int os_error) {
  return os_error == EINVAL ? Error(Errc::wrong_kind, "fcntl", os_error).because("it is no memory that can be sealed")
                            : os_failure("fcntl", os_error);
}

Error lacking(Seals missing) {
  return Error(Errc::permission_denied, "mmap")
      .because("it lacks the seals " + text_of(missing) + ": others could still change under the map what they forbid");
}

// A seal refuses in the same way as a descriptor that cannot write does; this tells which it was.
Error map_refused(Error error, Seals seals, Access access) {
  const Seals against = both(seals, Seals::write | Seals::future_write);
  if (error == Errc::permission_denied && access == Access::read_write && against != Seals::none) {
    return std::move(error).because("it is sealed against " + text_of(against));
  }
  return error;
}

}  // namespace

std::string text_of(Seals seals) {
  std::string text;
  for (const Row& row : rows) {
    if (has_all(seals, row.seal)) {
      text += (text.empty() ? "" : ", ") + std::string(row.name);
    }
  }
  return text.empty() ? "none" : text;
}

Result<Memfd> Memfd::create(std::string_view name, std::size_t size, Permissions permissions, Pages pages) {
  auto checked = Name::make(name, name_prefix);
  if (!checked) {
    return fail(std::move(checked.error()));
  }
  if (size == 0) {
    return fail(Error(Errc::invalid_argument, "memfd_create").on(name).because("memory has at least one byte"));
  }
  if (auto whole = pages == Pages::huge ? check_huge_size("memfd_create", size) : Result<void>(); !whole) {
    return fail(std::move(whole.error()).on(name));
  }
  return new_file(checked->text(), pages).and_then([&](Fd file) -> Result<Memfd> {
    if (auto set = set_exact_mode(file.view(), permissions); !set) {
      return fail(std::move(set.error()).on(name));
    }
    auto reserved = reserve(file.view(), 0, size);
    if (!reserved && pages == Pages::huge) {
      return fail(huge_page_failure("fallocate", reserved.error().os_error(), size).on(name));
    }
    if (!reserved) {
      return fail(std::move(reserved.error()).on(name));
    }
    return Memfd(std::move(file));
  });
}

Result<void> Memfd::seal(Seals more) {
  if (::fcntl(fd_.raw(), F_ADD_SEALS, static_cast<int>(more)) == -1) {
    return fail(seal_failure(errno));
  }
  return {};
}

Result<Seals> Memfd::seals() const {
  const int bits = ::fcntl(fd_.raw(), F_GET_SEALS);
  if (bits == -1) {
    return fail(no_seals(errno));
  }
  return static_cast<Seals>(bits);
}

// In this order: once the seals are there, the size cannot fall any more.
Result<Mapping> Memfd::map(Access access, Seals required) const {
  const int bits = ::fcntl(fd_.raw(), F_GET_SEALS);
  if (bits == -1) {
    return fail(no_seals(errno));
  }
  const auto sealed = static_cast<Seals>(bits);
  if (!has_all(sealed, required)) {
    return fail(lacking(without(required, sealed)));
  }
  struct stat status;
  if (::fstat(fd_.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  auto mapped = Mapping::of_file(fd(), static_cast<std::size_t>(status.st_size), access);
  if (!mapped) {
    return fail(status.st_size == 0 ? Error(Errc::corrupt, "mmap").because("it has no bytes")
                                    : map_refused(std::move(mapped.error()), sealed, access));
  }
  return mapped;
}

Result<std::size_t> Memfd::size() const {
  struct stat status;
  if (::fstat(fd_.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return static_cast<std::size_t>(status.st_size);
}

Result<void> Memfd::resize(std::size_t size) {
  return this->size().and_then([&](std::size_t now) -> Result<void> {
    if (size < now) {
      return fail(Error(Errc::invalid_argument, "ftruncate")
                      .because("it has " + std::to_string(now) +
                               " bytes; who has them mapped would be killed for touching what is cut off"));
    }
    auto reserved = reserve(fd(), now, size);
    if (reserved.failed_with(Errc::permission_denied)) {
      return fail(std::move(reserved.error()).because("it is sealed against grow, or opened for reading alone"));
    }
    return reserved;
  });
}

}  // namespace tenon
