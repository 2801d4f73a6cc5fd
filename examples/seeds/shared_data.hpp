#pragma once
/// What sysv-shm-writer and sysv-shm-reader share.
///
/// Edges: S1 store-release read (the reader) → load-acquire read (the writer): it has read all that it will.
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

namespace seeds {

struct SharedData {
  int counter;
  std::array<char, 256> message;
  std::atomic<std::uint32_t> read;  // 1 once the reader is done
};

inline SharedData& data_in(const tenon::Mapping& memory) {
  return *std::launder(reinterpret_cast<SharedData*>(memory.data()));
}

/// "counter=42, message='…'"; the message ends at its NUL, or where its place does.
inline std::string text_of(const SharedData& data) {
  const std::string message(data.message.data(), ::strnlen(data.message.data(), data.message.size()));
  return "counter=" + std::to_string(data.counter) + ", message='" + message + "'";
}

/// The key that both programs are given: a number, or a file of one's own to make one of, as ftok(3) does.
inline tenon::SysvKey key_from(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s KEY|PATH   the same for both programs\n", argv[0]);
    std::exit(2);
  }
  const std::string text = argv[1];
  return (text[0] == '/' ? tenon::SysvKey::of_file(text, 'A') : tenon::SysvKey::parse(text)).or_throw();
}

}  // namespace seeds
