#pragma once
/// Every kind of object that stands at a name, a path or a key. named_object_test.cpp holds each to what all owe.
#include <tenon/base/permissions.hpp>
#include <tenon/base/result.hpp>

#include <kit/unique.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <sys/types.h>
#include <vector>

namespace conformance {

/// One that was created or opened, and the permissions that it has then. It is held as long as this is kept.
struct Made {
  std::shared_ptr<void> handle;
  mode_t mode;
};

struct NamedKind {
  std::string kind;
  /// A name of this kind that nobody else has; those who are found by a path lie in the directory.
  std::function<std::string(const kit::UniqueDirectory&)> name;
  std::function<tenon::Result<Made>(const std::string& name, tenon::Permissions)> create;
  /// Nothing for those that cannot be opened by who has not made them.
  std::function<tenon::Result<Made>(const std::string& name)> open_or_create;
  std::function<tenon::Result<void>(const std::string& name)> unlink;
  /// Those that one can be made with.
  std::vector<std::uint32_t> modes;
  /// Whether it takes a descriptor to make one.
  bool takes_descriptor;

  friend std::ostream& operator<<(std::ostream& out, const NamedKind& named) { return out << named.kind; }
};

std::vector<NamedKind> all_named_kinds();

}  // namespace conformance
