#include <tenon/base/error.hpp>

#include <cerrno>
#include <cstring>
#include <gtest/gtest.h>
#include <set>
#include <string>

namespace {

using tenon::Errc;
using tenon::Error;
using tenon::Limit;

TEST(Error, every_code_has_a_name_of_its_own) {
  std::set<std::string_view> names;
  for (int code = 1; code <= static_cast<int>(Errc::aborted); ++code) {
    names.insert(tenon::name_of(static_cast<Errc>(code)));
  }
  for (int code = static_cast<int>(Errc::invalid_name); code <= static_cast<int>(Errc::deadlock); ++code) {
    names.insert(tenon::name_of(static_cast<Errc>(code)));
  }
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Errc::aborted) + static_cast<std::size_t>(Errc::deadlock) -
                              static_cast<std::size_t>(Errc::invalid_name) + 1);
  EXPECT_EQ(tenon::name_of(static_cast<Errc>(0)), "unknown");
}

TEST(Error, outcomes_are_what_a_caller_branches_on) {
  EXPECT_TRUE(tenon::is_outcome(Errc::timed_out));
  EXPECT_TRUE(tenon::is_outcome(Errc::aborted));
  EXPECT_FALSE(tenon::is_outcome(Errc::invalid_name));
  EXPECT_FALSE(tenon::is_outcome(Errc::io_error));
}

TEST(Error, each_errno_has_one_meaning_and_the_unknown_are_io_errors) {
  EXPECT_EQ(tenon::errc_of(EAGAIN), Errc::would_block);
  EXPECT_EQ(tenon::errc_of(EPIPE), Errc::closed);
  EXPECT_EQ(tenon::errc_of(ESRCH), Errc::not_found);
  EXPECT_EQ(tenon::errc_of(EOWNERDEAD), Errc::owner_died);
  EXPECT_EQ(tenon::errc_of(ENAMETOOLONG), Errc::invalid_name);
  EXPECT_EQ(tenon::errc_of(EMFILE), Errc::limit_reached);
  EXPECT_EQ(tenon::errc_of(EDEADLK), Errc::deadlock);
  EXPECT_EQ(tenon::errc_of(EIO), Errc::io_error);
  EXPECT_EQ(tenon::errc_of(0), Errc::io_error);
  EXPECT_EQ(tenon::errc_of(-1), Errc::io_error);
}

TEST(Error, an_outcome_carries_no_text) {
  const Error error(Errc::timed_out, "futex");
  EXPECT_EQ(error.object(), "");
  EXPECT_EQ(error.detail(), "");
  EXPECT_EQ(error.limit(), nullptr);
  EXPECT_EQ(error.message(), "futex: timed out");
}

TEST(Error, the_message_names_call_object_code_and_reason) {
  EXPECT_EQ(tenon::os_failure("open", EACCES).on("/tmp/x").because("owned by uid 1000").message(),
            "open(\"/tmp/x\"): permission denied: owned by uid 1000");
  EXPECT_EQ(Error(Errc::invalid_name).on("a/b").message(), "\"a/b\": invalid name");
  EXPECT_EQ(Error(Errc::corrupt).message(), "corrupt");
}

TEST(Error, the_message_says_what_errno_said_where_the_code_does_not) {
  const auto text = tenon::os_failure("read", EIO).message();
  EXPECT_EQ(text, std::string("read: io error (") + std::strerror(EIO) + ")");
  EXPECT_EQ(tenon::os_failure("open", ENOENT).message(), "open: not found");
}

TEST(Error, the_message_tells_the_limit_its_value_what_was_wanted_and_the_remedy) {
  const auto error =
      tenon::os_failure("open", EMFILE)
          .with(Limit{.name = "RLIMIT_NOFILE", .value = 1024, .wanted = 1025, .remedy = "raise it with: ulimit -n"});
  EXPECT_EQ(error.message(), "open: limit reached: RLIMIT_NOFILE is 1024, 1025 wanted; raise it with: ulimit -n");
  EXPECT_EQ(error.limit()->wanted, 1025U);
}

// F3: a name is kept byte for byte, and shown without its control characters.
TEST(Error, the_message_is_one_line_whatever_the_objects_name) {
  const auto error = Error(Errc::not_found, "open").on("a\nb\x1b[2J");
  EXPECT_EQ(error.object(), "a\nb\x1b[2J");
  EXPECT_EQ(error.message(), "open(\"a\\nb\\x1b[2J\"): not found");
}

TEST(Error, a_changed_copy_leaves_the_original_as_it_was) {
  const Error original = Error(Errc::limit_reached, "mq_open").on("/a").with(Limit{.name = "limit", .remedy = ""});
  Error copy = original;
  const Error changed = std::move(copy).on("/b").because("reason").with(Limit{.name = "other", .remedy = ""});
  EXPECT_EQ(original.object(), "/a");
  EXPECT_EQ(original.detail(), "");
  EXPECT_EQ(original.limit()->name, "limit");
  EXPECT_EQ(changed.object(), "/b");
  EXPECT_EQ(changed.limit()->name, "other");
}

TEST(Error, compares_with_its_code) {
  EXPECT_TRUE(Error(Errc::closed) == Errc::closed);
  EXPECT_FALSE(Error(Errc::closed) == Errc::timed_out);
}

}  // namespace
