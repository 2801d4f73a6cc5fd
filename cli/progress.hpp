#pragma once
/// How far a transfer has got, on a terminal, once it takes longer than a second.
#include <cstdint>
#include <optional>
#include <string>

namespace tenon::cli {

class Progress {
 public:
  /// `verb` as in "sent"; `total` in bytes, if it is known.
  Progress(std::string verb, std::optional<std::uint64_t> total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Clears the line that it wrote.
  ~Progress();

  void add(std::uint64_t bytes);

 private:
  void show(std::int64_t now);

  std::string verb_;
  std::optional<std::uint64_t> total_;
  std::uint64_t bytes_ = 0;
  std::int64_t started_;
  std::int64_t next_;
  bool terminal_;
  bool shown_ = false;
};

}  // namespace tenon::cli
