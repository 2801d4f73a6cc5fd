#pragma once
/// A process that may open few descriptors more, or none.
#include <tenon/base/result.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace kit {

/// RLIMIT_NOFILE of this process, lowered while it lives so that `room` descriptors can still be opened, if the lowest
/// free numbers follow one another.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t room);
  ~DescriptorLimit();
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

  /// Fails the test unless that was refused, and the error names the limit with its figure and the remedy.
  template <class T>
  void expect_named_by(const tenon::Result<T>& refused) const {
    ASSERT_FALSE(refused.has_value());
    expect_named_by(refused.error());
  }
  void expect_named_by(const tenon::Error& error) const;

 private:
  rlimit before_{};
  rlim_t most_;
};

}  // namespace kit
