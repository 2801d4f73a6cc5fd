#include <tenon/messaging/blackboard/board_file.hpp>

#include <tenon/base/file_identity.hpp>
#include <tenon/base/name.hpp>
#include <tenon/os/sharing.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::uint64_t page = 4096;

static_assert(sizeof(Mutex) == sizeof(BoardMutexBytes) && sizeof(BellWord<>) == sizeof(BoardBellBytes));

constexpr std::uint64_t up_to(std::uint64_t bytes, std::uint64_t multiple) noexcept {
  return (bytes + multiple - 1) / multiple * multiple;
}

Result<std::string> file_name(std::string_view name) {
  constexpr std::string_view prefix = board_prefix;
  return Name::make(name, prefix.size()).transform([&](const Name& checked) {
    return std::string(prefix) + checked.text();
  });
}

std::uint64_t bytes_of_types(const BoardTypes& types) noexcept {
  std::uint64_t bytes = bytes_of_type_record(types.key.fields.size());
  for (const BoardType& value : types.values) {
    bytes += bytes_of_type_record(value.fields.size());
  }
  return bytes;
}

MutableBytes write_behind(MutableBytes memory, const BoardType& type) noexcept {
  const std::size_t bytes = bytes_of_type_record(type.fields.size());
  write_type(memory.first(bytes), type.description, type.fields);
  return memory.subspan(bytes);
}

void initialise(MutableBytes memory, const BoardHeader& header, const BoardTypes& types) noexcept {
  std::memcpy(memory.data(), &header, sizeof header);
  auto& state = *reinterpret_cast<BoardState*>(memory.data() + board_state_at);
  ::new (state.adding.data()) Mutex;
  ::new (state.any_bell.data()) BellWord<>;
  MutableBytes rest = write_behind(memory.subspan(header.types_at), types.key);
  for (const BoardType& value : types.values) {
    rest = write_behind(rest, value);
  }
  for (std::uint32_t i = 0; i < header.entries; ++i) {
    auto& entry = *reinterpret_cast<BoardEntryHead*>(memory.data() + header.entries_at + i * header.entry_bytes);
    ::new (entry.mutex.data()) Mutex;
    ::new (entry.bell.data()) BellWord<>;
  }
}

Result<void> check_header(const BoardHeader& header, std::uint64_t bytes, std::string_view name) {
  auto known = check_identity(identity_of(header), {.magic = board_magic, .layout_version = board_layout_version});
  if (!known) {
    return fail(std::move(known.error()).on(name));
  }
  if (!fits_file(header, bytes)) {
    return fail(Error(Errc::corrupt).on(name).because("its header does not fit its file"));
  }
  return {};
}

Error too_large(const BoardHeader& header, long double wanted) {
  const std::uint64_t longest = std::max(header.key_bytes, header.value_bytes);
  if (longest > longest_board_value) {
    return Error(Errc::limit_reached)
        .with({.name = "bytes of a blackboard's value",
               .value = longest_board_value,
               .wanted = longest,
               .remedy = "keep the value in a segment, and on the board where it is"});
  }
  return Error(Errc::limit_reached)
      .with({.name = "bytes of a blackboard",
             .value = most_board_bytes,
             .wanted = static_cast<std::uint64_t>(std::min(wanted, 9e18L)),
             .remedy = "ask for fewer keys or copies, or shorter values"});
}

}  // namespace

Result<BoardHeader> lay_out(const BoardOptions& options, const BoardTypes& types) {
  if (types.values.size() > most_board_types) {
    return fail(Error(Errc::invalid_argument, "Blackboard::create").because("its values are of up to 256 types"));
  }
  if (options.keys == 0 || options.keys > most_board_entries || options.copies > most_board_copies) {
    return fail(Error(Errc::invalid_argument, "Blackboard::create")
                    .because("it has 1 to 2^28 keys, and up to 1024 copies of each value"));
  }
  BoardHeader header{};
  header.magic = board_magic;
  header.layout_version = board_layout_version;
  header.types = static_cast<std::uint32_t>(types.values.size());
  header.types_at = board_types_at;
  header.types_bytes = bytes_of_types(types);
  header.table_at = up_to(header.types_at + header.types_bytes, 64);
  header.table_places = std::bit_ceil(2 * options.keys);
  header.entries = options.keys;
  header.entries_at = up_to(header.table_at + std::uint64_t{header.table_places} * 4, page);
  header.copies = std::bit_ceil(std::max(options.copies, 4U));
  header.key_bytes = types.key.description.size;
  header.copies_at = up_to(board_key_at + header.key_bytes, 64);
  for (const BoardType& value : types.values) {
    header.value_bytes = std::max(header.value_bytes, value.description.size);
  }
  header.copy_bytes = up_to(sizeof(BoardCopyHead) + header.value_bytes, 64);
  header.entry_bytes = header.copies_at + header.copies * header.copy_bytes;
  // Nothing overflows: a long double holds it as well as an error has to tell it.
  const auto wanted = static_cast<long double>(header.entries) * static_cast<long double>(header.entry_bytes);
  const bool fits = header.key_bytes <= longest_board_value && header.value_bytes <= longest_board_value &&
                    wanted <= static_cast<long double>(most_board_bytes - header.entries_at);
  header.file_bytes = fits ? up_to(header.entries_at + header.entries * header.entry_bytes, page) : 0;
  if (!fits || !fits_file(header, header.file_bytes)) {
    return fail(too_large(header, wanted));
  }
  return header;
}

Result<BoardFile> BoardFile::create(const Domain& domain, std::string_view name, Token maker,
                                    const BoardOptions& options, const BoardTypes& types) {
  auto header = lay_out(options, types);
  const auto file = file_name(name);
  const auto sharing = Sharing::of(domain.directory());
  if (!header || !file || !sharing) {
    return fail(std::move(!header ? header.error() : Error(!file ? file.error() : sharing.error())).on(name));
  }
  header->made_by = maker.value();
  return make_shared_file(domain.directory(), *file, header->file_bytes,
                          sharing->is_shared() ? owner_and_group : owner_only,
                          [&](MutableBytes memory) { initialise(memory, *header, types); })
      .transform([&](SharedFile made) { return BoardFile(std::move(made.memory), *header, Access::read_write, name); });
}

Result<BoardFile> BoardFile::open(const Domain& domain, std::string_view name, Access access) {
  const auto text = file_name(name);
  if (!text) {
    return fail(Error(text.error()).on(name));
  }
  auto file = open_shared_file(domain.directory(), *text, access);
  if (!file) {
    return fail(std::move(file.error()).on(domain.path() + "/" + *text));
  }
  BoardHeader header{};
  if (auto read = read_beginning(file->fd.view(), mutable_bytes_of_value(header)); !read) {
    return fail(std::move(read.error()).on(*text));
  }
  return check_header(header, file->bytes, *text)
      .and_then([&] { return Mapping::of_file(file->fd.view(), file->bytes, access); })
      .transform([&](Mapping memory) { return BoardFile(std::move(memory), header, access, name); });
}

Result<void> BoardFile::remove(const Domain& domain, std::string_view name) {
  const auto text = file_name(name);
  if (!text) {
    return fail(Error(text.error()).on(name));
  }
  return ::unlinkat(domain.directory().raw(), text->c_str(), 0) == 0 ? Result<void>()
                                                                     : fail(os_failure("unlinkat", errno).on(*text));
}

Result<StoredBoardTypes> BoardFile::types() const {
  Bytes rest = Bytes(memory_.bytes()).subspan(header_.types_at, header_.types_bytes);
  StoredBoardTypes types;
  for (std::uint32_t i = 0; i <= header_.types; ++i) {
    auto type = read_type(rest);
    if (!type) {
      return fail(std::move(type.error()).on(name_));
    }
    rest = rest.subspan(bytes_of_type_record(type->fields.size()));
    if (i == 0) {
      types.key = std::move(*type);
    } else {
      types.values.push_back(std::move(*type));
    }
  }
  const bool fits =
      types.key.type.size == header_.key_bytes && std::ranges::all_of(types.values, [this](const StoredType& value) {
        return value.type.size >= 1 && value.type.size <= header_.value_bytes;
      });
  if (!fits) {
    return fail(Error(Errc::corrupt).on(name_).because("its types do not fit its entries"));
  }
  return types;
}

Result<void> BoardFile::check_types(const BoardTypes& own) const {
  const auto stored = types();
  if (!stored) {
    return fail(Error(stored.error()));
  }
  if (stored->values.size() != own.values.size()) {
    return fail(Error(Errc::type_mismatch)
                    .on(name_)
                    .because("its values are of " + std::to_string(stored->values.size()) +
                             " types, those of this program of " + std::to_string(own.values.size())));
  }
  auto checked = check_type(stored->key, own.key.description, own.key.fields);
  for (std::size_t i = 0; checked && i < own.values.size(); ++i) {
    checked = check_type(stored->values[i], own.values[i].description, own.values[i].fields);
  }
  return checked ? std::move(checked) : fail(std::move(checked.error()).on(name_));
}

}  // namespace tenon
