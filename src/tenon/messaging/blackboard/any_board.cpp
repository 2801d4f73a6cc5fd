#include <tenon/messaging/blackboard/any_board.hpp>

#include <tenon/base/contract.hpp>

#include <algorithm>

namespace tenon {

Result<AnyBoard> AnyBoard::of(Result<std::unique_ptr<BoardPort>> port) {
  return std::move(port).and_then([](std::unique_ptr<BoardPort> opened) {
    return opened->file().types().transform(
        [&](StoredBoardTypes types) { return AnyBoard(std::move(opened), std::move(types)); });
  });
}

Result<AnyBoard> AnyBoard::open(const Holder& holder, std::string_view name) {
  return of(BoardPort::open(holder, name));
}

Result<AnyBoard> AnyBoard::open_for_reading(const Domain& domain, std::string_view name) {
  return of(BoardPort::open_for_reading(domain, name));
}

std::uint32_t AnyBoard::entries() const noexcept {
  std::uint32_t entry = 0;
  while (entry < header().entries && port_->is_ready(entry)) {
    ++entry;
  }
  return entry;
}

Result<std::uint32_t> AnyBoard::type_of(std::uint32_t entry) const {
  const std::uint32_t type = port_->type_of(entry);
  return type < types_.values.size()
             ? Result<std::uint32_t>(type)
             : fail(Error(Errc::corrupt).on(port_->file().name()).because("a key is of a type that is not there"));
}

Result<AnyBoard::Read> AnyBoard::read(std::uint32_t entry) const {
  const auto type = type_of(entry);
  if (!type) {
    return fail(Error(type.error()));
  }
  Read read;
  read.value.resize(types_.values[*type].type.size);
  const ValueWords words(read.value.size());
  const auto put = [&](std::size_t i, std::uint64_t word) { words.put(read.value.data(), i, word); };
  return port_->read(entry, 0, words.count(), put).transform([&](const ValueStamp& stamp) {
    static_cast<ValueStamp&>(read) = stamp;
    return std::move(read);
  });
}

Result<std::uint64_t> AnyBoard::write(Bytes key, std::uint32_t type, Bytes value, Deadline deadline) {
  expects(
      type < types_.values.size() && value.size() == types_.values[type].type.size && key.size() == header().key_bytes,
      "key and value have the bytes of their types");
  return port_->find_or_add(key, type, deadline).and_then([&](std::uint32_t entry) -> Result<std::uint64_t> {
    if (port_->type_of(entry) != type) {
      return fail(Error(Errc::type_mismatch).on(port_->file().name()).because("the key's values are of another type"));
    }
    const ValueWords words(value.size());
    return port_->write(entry, words.count(), [&](std::size_t i) { return words.get(value.data(), i); }, deadline);
  });
}

}  // namespace tenon
