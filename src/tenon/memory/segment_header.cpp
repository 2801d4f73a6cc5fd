#include <tenon/memory/segment_header.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/base/name.hpp>
#include <tenon/memory/allocator.hpp>
#include <tenon/os/token.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

namespace tenon {

namespace {

// Those who share a lock have to agree about it: word size and size of the C library's lock.
constexpr std::uint32_t abi_of(std::uint32_t pointer_bytes, std::uint32_t lock_bytes) noexcept {
  return 1U | pointer_bytes << 8 | lock_bytes << 16;
}
constexpr std::uint32_t own_abi = abi_of(sizeof(void*), sizeof(Mutex));

std::string text_of_abi(std::uint32_t abi) {
  return std::to_string((abi >> 8 & 0xff) * 8) + "-bit with locks of " + std::to_string(abi >> 16) + " bytes";
}

Fail refused(Errc code, const std::string& why) { return fail(Error(code, "segment").because(why)); }

Result<void> check_type(const SegmentHeader& copy, const TypeDescription& wanted) {
  if (wanted.name.empty() || copy.type_hash == wanted.hash) {
    return {};
  }
  const std::size_t size = std::min<std::size_t>(copy.type_name_size, sizeof(copy.type_name));
  const std::string stored =
      size == 0 ? "none" : escaped({copy.type_name, size}) + " (" + std::to_string(copy.type_size) + " bytes)";
  return refused(Errc::type_mismatch, "its type is " + stored + ", not " + wanted.text());
}

}  // namespace

void write_segment(MutableBytes memory, std::uint64_t most, const TypeDescription& type) noexcept {
  auto& header = *reinterpret_cast<SegmentHeader*>(memory.data());
  header.version = segment_version;
  header.abi = own_abi;
  header.most = most;
  header.arena = segment_arena;
  header.type_hash = type.hash;
  header.type_size = type.size;
  header.identity = Token::random().value();
  expects(type.name.size() <= sizeof(header.type_name), "a type's name has at most 126 bytes");
  header.type_name_size = static_cast<std::uint16_t>(type.name.size());
  std::copy_n(type.name.data(), type.name.size(), header.type_name);
  new (header.lock) Mutex;
  header.size = memory.size();
  const Arena arena(memory.data(), memory.size());
  Journal journal(arena, header.journal);
  Transaction transaction(journal);
  Allocator allocator(arena, header.free, journal);
  allocator.initialise();
  expects(allocator.extend(segment_arena + sizeof(BlockHeader)).has_value(), "an empty arena takes in its memory");
  transaction.commit();
  header.magic = segment_magic;
}

Result<std::uint64_t> check_segment(const SegmentHeader& copy, std::uint64_t backed, const TypeDescription& wanted) {
  if (copy.magic != segment_magic) {
    return refused(Errc::wrong_kind, "the memory is no segment");
  }
  if (copy.version != segment_version) {
    return refused(Errc::version_mismatch, "it has layout version " + std::to_string(copy.version) + ", this program " +
                                               std::to_string(segment_version));
  }
  if (copy.abi != own_abi) {
    return refused(Errc::version_mismatch, "it is " + text_of_abi(copy.abi) + ", this program " + text_of_abi(own_abi));
  }
  if (copy.mode != 0) {
    return refused(Errc::not_supported, "it is for processes that do not trust each other, which this version cannot");
  }
  if (copy.arena != segment_arena || copy.most > segment_most_bytes || copy.most % segment_arena != 0 ||
      copy.size > backed || backed > copy.most) {
    return refused(Errc::corrupt, "it says that it has " + std::to_string(copy.size) + " of at most " +
                                      std::to_string(copy.most) + " bytes, and has " + std::to_string(backed));
  }
  return check_type(copy, wanted).transform([&] { return copy.most; });
}

}  // namespace tenon
