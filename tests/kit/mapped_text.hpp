#pragma once
/// Text at the beginning of mapped memory.
#include <tenon/base/bytes.hpp>
#include <tenon/os/mapping.hpp>

#include <cstring>
#include <string_view>

namespace kit {

inline void put_text(const tenon::Mapping& memory, std::string_view text) {
  std::memcpy(memory.data(), text.data(), text.size());
}

inline std::string_view text_at(const tenon::Mapping& memory, std::size_t size) {
  return tenon::text_of(tenon::Bytes(memory.bytes()).first(size));
}

}  // namespace kit
