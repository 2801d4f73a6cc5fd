#include <tenon/base/name.hpp>

#include <kit/unique.hpp>
#include <climits>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using namespace std::string_view_literals;
using tenon::check_path;
using tenon::Errc;
using tenon::escaped;
using tenon::Name;

// F1
TEST(Name, what_cannot_be_one_component_of_a_path_is_refused_with_the_reason) {
  const struct {
    std::string_view text;
    std::string_view why;
  } refused[] = {{"", "empty"},     {".", "directory"}, {"..", "directory"}, {"/", "'/'"},
                 {"a/b", "'/'"},    {"/a", "'/'"},      {"a/", "'/'"},       {"../a", "'/'"},
                 {"a\0b"sv, "NUL"}, {"\0"sv, "NUL"},    {"a\0"sv, "NUL"},    {"\0/.."sv, "'/'"}};
  for (const auto& [text, why] : refused) {
    const auto made = Name::make(text);
    ASSERT_FALSE(made) << escaped(text);
    EXPECT_EQ(made.error().code(), Errc::invalid_name);
    EXPECT_EQ(made.error().os_error(), 0) << "no system call may have been made";
    EXPECT_EQ(made.error().object(), text);
    EXPECT_NE(made.error().detail().find(why), std::string_view::npos) << made.error().message();
  }
}

// F1
TEST(Name, names_that_only_look_like_directories_are_names) {
  for (const auto text : {"...", ".a", "a.", "a..b", " ", "-", "~"}) {
    EXPECT_EQ(Name::make(text).or_throw().text(), text);
  }
}

// F2
TEST(Name, takes_255_bytes_and_refuses_256) {
  EXPECT_EQ(Name::make(std::string(255, 'n')).or_throw().text(), std::string(255, 'n'));
  const auto refused = Name::make(std::string(256, 'n'));
  ASSERT_TRUE(refused.failed_with(Errc::invalid_name));
  EXPECT_EQ(refused.error().detail(), "it has 256 bytes, at most 255 fit");
}

// F2
TEST(Name, counts_the_bytes_that_the_mechanism_puts_before_it) {
  EXPECT_TRUE(Name::make(std::string(251, 'n'), 4));
  const auto refused = Name::make(std::string(252, 'n'), 4);
  ASSERT_TRUE(refused.failed_with(Errc::invalid_name));
  EXPECT_EQ(refused.error().detail(), "it has 252 bytes, at most 251 fit");
}

// F2
TEST(Name, a_prefix_that_leaves_no_room_refuses_every_name) {
  for (const std::size_t prefix : {std::size_t{255}, std::size_t{256}, SIZE_MAX}) {
    const auto refused = Name::make("n", prefix);
    ASSERT_TRUE(refused.failed_with(Errc::invalid_name)) << prefix;
    EXPECT_EQ(refused.error().detail(), "it has 1 bytes, at most 0 fit");
  }
}

// F2: counted in bytes, as the kernel counts, not in characters.
TEST(Name, letters_of_several_bytes_count_as_several) {
  std::string omegas;
  while (omegas.size() < 256) {
    omegas += "ω";
  }
  EXPECT_TRUE(Name::make(omegas).failed_with(Errc::invalid_name));
  EXPECT_TRUE(Name::make(omegas.substr(2)));
}

// F3
TEST(Name, every_other_byte_reaches_the_kernel_as_it_is) {
  const kit::UniqueDirectory directory;
  for (const std::string_view text :
       {"größe"sv, "line\nline"sv, "\x1b[31mred"sv, "\x7f"sv, "\xff\xfe"sv, "\"\\"sv, "日本"sv}) {
    const Name name = Name::make(text).or_throw();
    ASSERT_EQ(name.text(), text);
    const std::string path = directory / name.text();
    const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    ASSERT_NE(file, -1) << std::strerror(errno);
    ::close(file);
    EXPECT_EQ(kit::names_in(directory.path()), std::vector<std::string>{std::string(text)});
    ::unlink(path.c_str());
  }
}

// F3
TEST(Escaped, leaves_what_a_terminal_can_show_as_it_is) {
  for (const auto text : {"plain", "größe", "日本", "😀", "ω", "a b", ""}) {
    EXPECT_EQ(escaped(text), text);
  }
}

// F3
TEST(Escaped, shows_control_characters_quotes_and_backslashes) {
  EXPECT_EQ(escaped("a\nb\tc"), "a\\nb\\tc");
  EXPECT_EQ(escaped("\x1b[31m"), "\\x1b[31m");
  EXPECT_EQ(escaped("\r\x7f\0"sv), "\\x0d\\x7f\\x00");
  EXPECT_EQ(escaped("say \"\\n\""), "say \\\"\\\\n\\\"");
  EXPECT_EQ(escaped("\xc2\x9b"
                    "31m"),
            "\\xc2\\x9b31m")
      << "a control character beyond ASCII";
}

// F3
TEST(Escaped, shows_bytes_that_are_not_utf_8_one_by_one) {
  const struct {
    std::string_view bytes;
    std::string_view shown;
  } cases[] = {
      {"\xff", "\\xff"},                                   // never occurs
      {"\x80", "\\x80"},                                   // a continuation without a beginning
      {"\xc3", "\\xc3"},                                   // cut off
      {"\xe2\x82", "\\xe2\\x82"},                          // cut off later
      {"\xc3(", "\\xc3("},                                 // not continued
      {"\xc0\xaf", "\\xc0\\xaf"},                          // '/' in two bytes
      {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},                 // '/' in three
      {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},        // '/' in four
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},                 // half of a surrogate pair
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},        // beyond the last character
      {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},            // the last character
      {"ok\xffgr\xc3\xb6\xc3", "ok\\xffgr\xc3\xb6\\xc3"},  // amid good ones
  };
  for (const auto& [bytes, shown] : cases) {
    EXPECT_EQ(escaped(bytes), shown);
  }
}

// F1
TEST(CheckPath, refuses_what_names_no_file) {
  for (const std::string_view path :
       {""sv, "/"sv, "a/"sv, "."sv, ".."sv, "a/.."sv, "/tmp/."sv, "/tmp/a\0b"sv, "\0"sv}) {
    const auto checked = check_path(path);
    ASSERT_TRUE(checked.failed_with(Errc::invalid_name)) << escaped(path);
    EXPECT_EQ(checked.error().object(), path);
    EXPECT_FALSE(checked.error().detail().empty());
  }
}

// F2
TEST(CheckPath, takes_what_fits_with_its_terminating_nul_and_no_more) {
  std::string path = "/";
  while (path.size() < PATH_MAX - 1) {
    path += path.size() % 200 == 0 ? '/' : 'd';
  }
  EXPECT_TRUE(check_path(path));
  EXPECT_TRUE(check_path(path + "d").failed_with(Errc::invalid_name));
  EXPECT_TRUE(check_path("/" + std::string(256, 'n')).failed_with(Errc::invalid_name));
}

TEST(CheckPath, takes_relative_paths_and_those_with_dots_on_the_way) {
  for (const auto path : {"a", "./a", "../a", "//a", "/tmp/../a"}) {
    EXPECT_TRUE(check_path(path)) << path;
  }
}

}  // namespace
