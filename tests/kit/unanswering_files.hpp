#pragma once
/// A file system whose server can be made to answer no more. fuse(4)
#include <memory>
#include <string>

namespace kit {

class ReportedChild;

/// Mounted below a directory of the caller's own mount namespace, with a regular file of each name that is asked for.
/// Its server is a process. What waits for it goes on, with an error, when the handle goes.
class UnansweringFiles {
 public:
  /// Nothing of it may be done where `refusal()` tells why.
  explicit UnansweringFiles(const std::string& directory);
  ~UnansweringFiles();
  UnansweringFiles(const UnansweringFiles&) = delete;
  UnansweringFiles& operator=(const UnansweringFiles&) = delete;

  /// Why it could not be mounted; "" if it was.
  const std::string& refusal() const noexcept { return refusal_; }
  /// From here on every request waits.
  void answer_no_more();

 private:
  std::string directory_;
  std::string refusal_;
  std::unique_ptr<ReportedChild> server_;
};

}  // namespace kit
