#include <kit/descriptor_limit.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

namespace kit {

DescriptorLimit::DescriptorLimit(rlim_t room) {
  const int next = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
  ::close(next);
  most_ = static_cast<rlim_t>(next) + room;
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
  const rlimit lowered{.rlim_cur = most_, .rlim_max = before_.rlim_max};
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
}

DescriptorLimit::~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

void DescriptorLimit::expect_named_by(const tenon::Error& error) const {
  ASSERT_EQ(error.code(), tenon::Errc::limit_reached) << error.message();
  ASSERT_NE(error.limit(), nullptr) << error.message();
  EXPECT_EQ(error.limit()->name, "RLIMIT_NOFILE");
  EXPECT_EQ(error.limit()->value, most_);
  EXPECT_THAT(error.message(), testing::HasSubstr("ulimit -n"));
}

}  // namespace kit
