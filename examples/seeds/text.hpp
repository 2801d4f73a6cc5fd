#pragma once
/// What the example programs share: reading a stream to its end, and printing a line at once.
#include <tenon/base/bytes.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/read_end.hpp>
#include <tenon/os/token.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace seeds {

/// For a partner that may never come.
inline tenon::Deadline soon() { return tenon::after(std::chrono::seconds(10)); }

/// A stream has no messages, only bytes and an end. Throws Failure if nothing came at all.
inline std::string read_text(tenon::ReadEnd reader) {
  std::string text;
  std::array<std::byte, 256> part;
  while (const std::size_t got = reader.read(part, soon()).or_throw()) {
    text += tenon::text_of(tenon::Bytes(part).first(got));
  }
  if (text.empty()) {
    throw tenon::Failure(tenon::Error(tenon::Errc::closed, "read").because("the writer left without a word"));
  }
  return text;
}

/// Writes one line and flushes it, so that lines of several processes stand in the order of events.
inline void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

/// Runs `body`, and prints why it failed.
template <class Body>
int run(Body body) {
  try {
    return body();
  } catch (const tenon::Failure& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}

/// The path that both programs of a pair are given; exits with a usage line if there is none.
inline std::string path_from(int argc, char** argv) {
  if (argc == 2) {
    return argv[1];
  }
  std::fprintf(stderr, "usage: %s PATH   the same for both programs, in a directory of your own\n", argv[0]);
  std::exit(2);
}

/// The name that the caller gives, or one that is new each time: what was left over under a fixed one would be met.
inline std::string name_from(int argc, char** argv) {
  return argc > 1 ? argv[1] : "/tenon-seed-" + tenon::Token::random().hex();
}

/// Waits for all of them; whether each ended well.
inline bool all_succeed(std::vector<tenon::Child>& children) {
  bool all = true;
  for (tenon::Child& child : children) {
    all = child.wait(soon()).or_throw().success() && all;
  }
  return all;
}

}  // namespace seeds
