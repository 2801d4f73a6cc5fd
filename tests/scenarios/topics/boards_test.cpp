// Blackboards at the command line: tenon get, set, watch and ls boards, beside programs that know the types.
#include "fixture.hpp"

#include <tenon/memory/fixed_string.hpp>
#include <tenon/messaging/blackboard/blackboard.hpp>

#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace topics {
namespace {

using namespace tenon;
using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tools::expect_schema;
using tools::parsed;
using tools::run;
using tools::schema;

struct Quote {
  std::int64_t bid;
  std::int64_t ask;
};
TENON_FIELDS(Quote, bid, ask);

using Symbol = FixedString<12>;
using Prices = Blackboard<Symbol, Quote, double>;

class Boards : public Topics {
 protected:
  ~Boards() override { static_cast<void>(Prices::remove(domain_.domain(), "prices")); }

  static Finished told(const std::vector<std::string>& arguments, int code) {
    Finished finished = run(arguments);
    EXPECT_EQ(finished.status, ExitStatus::exited(code)) << arguments.at(0) << ": " << finished.errors;
    EXPECT_EQ(std::ranges::count(finished.errors, '\n'), code == 0 ? 0 : 1) << finished.errors;
    return finished;
  }

  Membership member_ = join();
  Prices prices_ = Prices::create(member_.holder, "prices", {.keys = 4}).or_throw();
};

TEST_F(Boards, show_what_a_program_has_written) {
  prices_.write("ACME", Quote{.bid = 41, .ask = 42}, never).or_throw();
  prices_.write("a\nb", 1.5, never).or_throw();
  EXPECT_EQ(told({"get", "prices", "ACME"}, 0).output, "bid=41 ask=42\n");
  EXPECT_EQ(told({"get", "prices"}, 0).output, "ACME  bid=41 ask=42\na\\nb  1.5\n");
  const Finished shown = told({"get", "prices", "ACME", "--json"}, 0);
  const json value = parsed(shown);
  expect_schema(value, schema("board_value"));
  EXPECT_EQ(value["key"], "ACME");
  EXPECT_EQ(value["number"], 1);
  EXPECT_GT(value["age"], 0);
  EXPECT_EQ(value["writer"], member_.holder.token().hex());
  EXPECT_EQ(value["value"]["ask"], 42);
}

TEST_F(Boards, are_written_for_programs_that_know_the_types) {
  told({"set", "prices", "ACME", "{\"bid\": 1, \"ask\": 2}", "--type", "Quote"}, 0);
  EXPECT_EQ(prices_.read<Quote>("ACME").or_throw().value.ask, 2);
  told({"set", "prices", "ACME", "{\"bid\": 3, \"ask\": 4}"}, 0);
  const auto latest = prices_.read<Quote>("ACME").or_throw();
  EXPECT_EQ(latest.value.bid, 3);
  EXPECT_EQ(latest.number, 2U);
  EXPECT_NE(latest.writer, member_.holder.token());
}

TEST_F(Boards, have_keys_that_are_numbers) {
  using Cells = Blackboard<std::uint32_t, double>;
  auto cells = Cells::create(member_.holder, "cells", {.keys = 4}).or_throw();
  told({"set", "cells", "7", "1.25"}, 0);
  EXPECT_EQ(cells.read<double>(7).or_throw().value, 1.25);
  EXPECT_EQ(told({"get", "cells", "7"}, 0).output, "1.25\n");
  EXPECT_EQ(told({"get", "cells"}, 0).output, "7  1.25\n");
  EXPECT_THAT(told({"get", "cells", "x"}, 1).errors, HasSubstr("x"));
  Cells::remove(domain_.domain(), "cells").or_throw();
}

TEST_F(Boards, are_watched_from_what_is_there_on) {
  prices_.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  auto watch = start({"watch", "prices", "--count", "2"});
  std::string text;
  transfer::eventually([&] {
    std::array<std::byte, 4096> part;
    if (const auto got = watch->try_read_output(part); got) {
      text += text_of(Bytes(part).first(*got));
    }
    return text.ends_with('\n');
  });
  EXPECT_EQ(text, "ACME  bid=1 ask=2\n");
  prices_.write("ZINC", 2.5, never).or_throw();
  EXPECT_EQ(watch->finish().output, "ZINC  2.5\n");
  auto one = start({"watch", "prices", "ZINC", "--json", "--count", "1"});
  const json value = parsed(one->finish());
  expect_schema(value, schema("board_value"));
  EXPECT_EQ(value["value"], 2.5);
}

TEST_F(Boards, have_a_key_that_is_an_empty_text) {
  told({"set", "prices", "", "1.5", "--type", "f64"}, 0);
  prices_.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  EXPECT_EQ(told({"get", "prices", ""}, 0).output, "1.5\n");
  EXPECT_EQ(told({"watch", "prices", "", "--count", "1"}, 0).output, "  1.5\n");
}

TEST_F(Boards, are_not_written_at_a_key_that_was_not_said) {
  EXPECT_THAT(told({"set", "prices", "A\xff", "2", "--type", "f64"}, 2).errors, HasSubstr("no UTF-8"));
  EXPECT_THAT(prices_.keys(), IsEmpty());
}

TEST_F(Boards, are_watched_for_one_key_beside_others_that_change_all_the_time) {
  prices_.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  auto watch = start({"watch", "prices", "ZINC", "--count", "2"});
  std::string text;
  std::array<std::byte, 4096> part;
  const auto busy_until = [&](const std::string& wanted) {
    transfer::eventually([&] {
      prices_.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
      if (const auto got = watch->try_read_output(part); got) {
        text += text_of(Bytes(part).first(*got));
      }
      return text == wanted;
    });
  };
  prices_.write("ZINC", 1.5, never).or_throw();
  busy_until("ZINC  1.5\n");
  prices_.write("ZINC", 2.5, never).or_throw();
  const Finished ended = watch->finish();
  EXPECT_EQ(ended.output, "ZINC  2.5\n");
}

TEST_F(Boards, are_left_by_a_watcher_that_is_interrupted) {
  prices_.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  const auto names = kit::names_in(domain_.path());
  for (const int signal : {SIGINT, SIGTERM}) {
    auto watch = start({"watch", "prices"});
    std::array<std::byte, 64> part;
    transfer::eventually([&] { return watch->try_read_output(part).has_value(); });
    watch->signal(signal);
    const Finished ended = watch->finish();
    EXPECT_EQ(ended.status.code(), 1);
    EXPECT_THAT(ended.errors, HasSubstr("stopped"));
    EXPECT_EQ(kit::names_in(domain_.path()), names);
  }
  EXPECT_THAT(told({"watch", "prices", "--count", "2", "--timeout", "0.05"}, 1).errors,
              HasSubstr("nothing was written within 0.05 s"));
}

TEST_F(Boards, are_listed_with_their_keys_and_values) {
  prices_.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  prices_.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  prices_.write("ZINC", 1.0, never).or_throw();
  const json all = parsed(told({"ls", "boards", "--json", "--interval", "0"}, 0));
  expect_schema(all, schema("boards"));
  ASSERT_EQ(all["boards"].size(), 1U);
  const json& board = all["boards"][0];
  EXPECT_EQ(board["name"], "prices");
  EXPECT_EQ(board["keys"], 2);
  EXPECT_EQ(board["most_keys"], 4);
  EXPECT_EQ(board["written"], 3);
  EXPECT_EQ(board["key_type"], "FixedString<12>");
  EXPECT_THAT(board["types"], ElementsAre("Quote", "f64"));
  EXPECT_TRUE(board["rate"].is_null());
  EXPECT_EQ(board["memory"], Prices::memory_needed({.keys = 4}).or_throw());
  EXPECT_THAT(told({"ls", "boards"}, 0).output,
              ContainsRegex("prices +[^ ]+ +FixedString<12> -> Quote, f64 +2 of 4 +3 +0.0/s"));
  EXPECT_EQ(parsed(told({"ls", "boards", "--json", "--domain", domain_.path() + "/none"}, 0))["boards"].size(), 0U);
}

TEST_F(Boards, that_are_no_boards_are_named_and_passed_over) {
  std::ofstream(domain_.path() + "/board.text") << "text";
  const Fd broken =
      fd_from(::open((domain_.path() + "/board.broken").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open")
          .or_throw();
  std::vector<std::byte> garbage(8192);
  const Fd whole = fd_from(::open((domain_.path() + "/board.prices").c_str(), O_RDONLY | O_CLOEXEC), "open").or_throw();
  ASSERT_EQ(::pread(whole.raw(), garbage.data(), garbage.size(), 0), static_cast<ssize_t>(garbage.size()));
  ASSERT_EQ(::write(broken.raw(), garbage.data(), garbage.size() - 1), static_cast<ssize_t>(garbage.size() - 1));
  const Finished shown = run({"ls", "boards", "--interval", "0"});
  EXPECT_THAT(shown.output, HasSubstr("prices"));
  EXPECT_THAT(shown.errors, AllOf(HasSubstr("board.text"), HasSubstr("no blackboard"), HasSubstr("board.broken"),
                                  HasSubstr("does not fit")));
  EXPECT_THAT(told({"get", "text"}, 1).errors, HasSubstr("shorter"));
  ASSERT_EQ(::unlink((domain_.path() + "/board.text").c_str()), 0);
  ASSERT_EQ(::unlink((domain_.path() + "/board.broken").c_str()), 0);
}

TEST_F(Boards, say_in_one_line_what_cannot_be_and_what_to_do) {
  prices_.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  const auto error = [](const std::vector<std::string>& arguments, int code) { return told(arguments, code).errors; };
  for (const std::vector<std::string>& rest : {std::vector<std::string>{"get"}, {"watch"}}) {
    const std::string& command = rest[0];
    EXPECT_THAT(error({command, "none"}, 1), AllOf(HasSubstr("none"), HasSubstr("tenon ls boards")));
    EXPECT_THAT(error({command, "a/b"}, 2), HasSubstr("a/b"));
    EXPECT_THAT(error({command, "prices", "--domain", "/nowhere/at/all"}, 1), HasSubstr("no such domain"));
    EXPECT_THAT(error({command, "prices", "--domain", "/proc"}, 1), HasSubstr("/proc"));
  }
  EXPECT_THAT(error({"get", "prices", "GOLD"}, 1), AllOf(HasSubstr("GOLD"), HasSubstr("tenon get prices shows all")));
  EXPECT_THAT(error({"get", "prices", "a key that is too long"}, 1), HasSubstr("a key that is too long"));
  EXPECT_THAT(error({"set", "none", "A", "1"}, 1), HasSubstr("tenon ls boards"));
  EXPECT_THAT(error({"set", "prices", "GOLD", "1"}, 2), AllOf(HasSubstr("--type"), HasSubstr("Quote, f64")));
  EXPECT_THAT(error({"set", "prices", "GOLD", "1", "--type", "Pose"}, 2), HasSubstr("Pose"));
  EXPECT_THAT(error({"set", "prices", "ACME", "{\"bid\": 1}"}, 1), HasSubstr("\"ask\" is missing"));
  EXPECT_THAT(error({"set", "prices", "ACME", "1.5", "--type", "f64"}, 1),
              AllOf(HasSubstr("another type"), HasSubstr("leave --type out")));
  EXPECT_THAT(error({"set", "prices", "ACME", "1.5"}, 1), HasSubstr("ACME"));
  EXPECT_EQ(prices_.read<Quote>("ACME").or_throw().number, 1U);
}

TEST_F(Boards, of_a_stopped_writer_are_not_waited_for_without_end) {
  prices_.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  const auto file = BoardFile::open(domain_.domain(), "prices", Access::read_write).or_throw();
  const auto guard = mutex_in(file.entry(0).mutex).lock(never).or_throw();
  EXPECT_THAT(told({"set", "prices", "ACME", "{\"bid\": 1, \"ask\": 2}", "--timeout", "0.05"}, 1).errors,
              HasSubstr("another process is writing there"));
}

}  // namespace
}  // namespace topics
