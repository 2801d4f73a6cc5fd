/// What somebody does from outside to the files of a channel while it is used: told to everybody, never a silent split.
#include "channel_fixture.hpp"

#include <tenon/os/process.hpp>

#include <kit/private_namespaces.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace transfer {
namespace {

using namespace tenon;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class ChannelTampering : public ChannelTest {
 protected:
  // A conversation in the middle of which `tamper` is done; both ends must be told, by whatever they do next.
  void expect_both_told(const std::function<void()>& tamper) {
    const auto is_told = [](const auto& result) {
      // The one who is told first leaves, so the other may hear that from it.
      return !result && (result.failed_with(Errc::stale) || result.failed_with(Errc::closed) ||
                         result.failed_with(Errc::aborted) || result.failed_with(Errc::peer_died) ||
                         result.failed_with(Errc::not_found) || result.failed_with(Errc::corrupt));
    };
    kit::run_sides({{"sender",
                     [&](kit::Stage& stage) {
                       Sender out = sender();
                       out.send(bytes_of("before"), soon()).or_throw();
                       stage.await("tampered");
                       const auto finished = std::move(out).finish(soon());
                       EXPECT_TRUE(is_told(finished)) << (finished ? "nothing" : finished.error().message());
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "before");
                       tamper();
                       stage.signal("tampered");
                       const auto told = in.receive(most, soon());
                       EXPECT_TRUE(is_told(told)) << (told ? "nothing" : told.error().message());
                       std::move(in).abandon();
                     }}});
  }
  std::vector<std::string> life_files() {
    std::vector<std::string> names = kit::names_in(domain_.path());
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("life."); });
    return names;
  }
  void clean_up() {
    for (const auto& entry : fs::directory_iterator(domain_.path())) {
      fs::remove(entry.path());
    }
    fs::remove(path());
  }
};

// F11
TEST_F(ChannelTampering, a_rendezvous_file_removed_in_use_is_told_to_both) {
  expect_both_told([&] { fs::remove(rendezvous_path()); });
  clean_up();
}

// F22
TEST_F(ChannelTampering, a_rendezvous_file_truncated_in_use_is_told_to_both) {
  expect_both_told([&] { fs::resize_file(rendezvous_path(), 0); });
  clean_up();
}

// F22
TEST_F(ChannelTampering, a_rendezvous_file_overwritten_in_use_is_told_to_both) {
  expect_both_told([&] { std::fstream(rendezvous_path(), std::ios::in | std::ios::out) << std::string(8192, 'x'); });
  clean_up();
}

// F11
TEST_F(ChannelTampering, life_files_removed_in_use_are_told_to_both) {
  expect_both_told([&] {
    for (const std::string& name : life_files()) {
      fs::remove(domain_.path() + "/" + name);
    }
  });
  clean_up();
}

// F11: to the others it is dead by now, and another may have its place.
TEST_F(ChannelTampering, an_own_life_file_removed_in_use_is_told_to_whom_it_belonged) {
  Rendezvous entered = enter(Role::receiver);
  EXPECT_EQ(entered.progress().or_throw(), Progress::open);
  for (const std::string& name : life_files()) {
    fs::remove(domain_.path() + "/" + name);
  }
  const auto told = entered.progress();
  ASSERT_TRUE(told.failed_with(Errc::stale));
  EXPECT_THAT(told.error().message(), HasSubstr("this process's life file was removed"));
  [[maybe_unused]] const auto left = std::move(entered).leave(soon());
  clean_up();
}

// F10
TEST_F(ChannelTampering, a_receiver_whose_place_another_could_take_is_told_before_it_takes_more) {
  Rendezvous first = enter(Role::receiver);
  fs::remove(rendezvous_path());
  Rendezvous second = enter(Role::receiver);  // nothing tells it of the first
  EXPECT_TRUE(first.progress().failed_with(Errc::stale));
  EXPECT_EQ(second.progress().or_throw(), Progress::open);
  std::move(second).leave(soon()).or_throw();
  [[maybe_unused]] const auto left = std::move(first).leave(soon());
  clean_up();
}

// F10
TEST_F(ChannelTampering, an_entry_that_was_written_over_is_told_to_whom_it_belonged) {
  Rendezvous entered = enter(Role::receiver);
  EXPECT_EQ(entered.progress().or_throw(), Progress::open);
  std::fstream(rendezvous_path(), std::ios::in | std::ios::out).seekp(RendezvousFile::place_of(0)) << "somebody";
  EXPECT_TRUE(entered.progress().failed_with(Errc::stale));
  [[maybe_unused]] const auto left = std::move(entered).leave(soon());
  clean_up();
}

// F10
TEST_F(ChannelTampering, a_file_initialised_anew_over_those_who_use_it_is_told_to_them) {
  Rendezvous first = enter(Role::receiver);
  fs::resize_file(rendezvous_path(), 0);
  Rendezvous second = enter(Role::receiver);
  EXPECT_TRUE(first.progress().failed_with(Errc::stale));
  EXPECT_EQ(second.progress().or_throw(), Progress::open);
  std::move(second).leave(soon()).or_throw();
  [[maybe_unused]] const auto left = std::move(first).leave(soon());
  clean_up();
}

TEST_F(ChannelTampering, a_damaged_file_is_refused_by_its_path_and_with_the_remedy) {
  std::ofstream(rendezvous_path()) << std::string(8192, 'x');
  const auto refused = open_receiver(uri(), soon());
  ASSERT_TRUE(refused.failed_with(Errc::corrupt));
  EXPECT_THAT(refused.error().message(), HasSubstr(rendezvous_path()));
  EXPECT_THAT(refused.error().message(), HasSubstr("may be removed"));
  fs::remove(rendezvous_path());
}

// F11
TEST_F(ChannelTampering, a_fifo_removed_while_both_are_connected_carries_on_but_lets_nobody_else_in) {
  kit::run_sides({{"sender",
                   [&](kit::Stage& stage) {
                     Sender out = sender();
                     out.send(bytes_of("before"), soon()).or_throw();
                     stage.await("removed");
                     out.send(pattern(1'000'000, 1), soon()).or_throw();
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "before");
                     fs::remove(path());
                     const auto late = open_sender(uri(), soon());
                     EXPECT_TRUE(late.failed_with(Errc::stale)) << late.error().message();
                     stage.signal("removed");
                     EXPECT_EQ(in.receive(most, soon()).or_throw(), pattern(1'000'000, 1));
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

// F10
TEST_F(ChannelTampering, a_fifo_removed_or_replaced_while_one_side_waits_is_told) {
  for (const bool replaced : {false, true}) {
    for (const bool as_sender : {false, true}) {
      kit::run_sides({{"waiting",
                       [&](kit::Stage&) {
                         const auto code = as_sender ? open_sender(uri(), soon()).error().code()
                                                     : open_receiver(uri(), soon()).error().code();
                         EXPECT_EQ(code, Errc::stale);
                       }},
                      {"outside", [&](kit::Stage&) {
                         while (!fs::exists(path()) || life_files().empty()) {
                           [[maybe_unused]] const auto slept = sleep_until(after(milliseconds(1)));
                         }
                         // Not before it holds the FIFO: until then it would just make another one.
                         while (RendezvousFile::lock(domain_.domain(), RendezvousFile::name_for(uri()), soon())
                                    .or_throw()
                                    .records()
                                    .empty()) {
                         }
                         fs::remove(path());
                         if (replaced) {
                           [[maybe_unused]] const Fifo other = Fifo::create(path()).or_throw();
                         }
                       }}});
      EXPECT_EQ(fs::exists(path()), replaced) << "another's FIFO is left alone";
      fs::remove(path());
    }
  }
}

TEST_F(ChannelTampering, a_fifo_that_replaced_the_channels_own_is_not_removed_with_it) {
  Rendezvous entered = enter(Role::receiver);
  const Fifo held = Fifo::open(path()).or_throw();  // else the kernel might give its number to the next one
  fs::remove(path());
  Fifo::create(path()).or_throw();
  std::move(entered).leave(soon()).or_throw();
  EXPECT_TRUE(fs::exists(path()));
  fs::remove(path());
}

TEST_F(ChannelTampering, one_fifo_reached_through_a_symlinked_directory_is_one_channel) {
  const std::string real = directory_ / "real";
  fs::create_directory(real);
  fs::create_directory_symlink(real, directory_ / "link");
  kit::run_sides({{"sender",
                   [&](kit::Stage&) {
                     Sender out = open_sender("fifo:" + (directory_ / "link") + "/x", soon()).or_throw();
                     out.send(bytes_of("met"), soon()).or_throw();
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage&) {
                     Receiver in = open_receiver("fifo:" + real + "/./x", soon()).or_throw();
                     EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "met");
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
  EXPECT_THAT(kit::names_in(real), IsEmpty());
  fs::remove(directory_ / "link");
  fs::remove(real);
}

// F14
TEST_F(ChannelTampering, a_full_domain_is_told_and_nothing_is_left_in_it) {
  const std::string small = directory_ / "small";
  kit::in_private_namespaces([&] {
    fs::create_directories(small);  // the namespace has a /dev/shm of its own
    ASSERT_EQ(::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=16k,mode=0700"), 0) << std::strerror(errno);
    const auto domain = std::make_shared<const Domain>(Domain::open(small).or_throw());
    // From one page left for the life file to as many as are needed; each lack must be told.
    bool refused = false;
    bool entered = false;
    for (int free_pages = 0; free_pages <= 4; ++free_pages) {
      const std::string filler = small + "/filler";
      std::ofstream(filler) << std::string(static_cast<std::size_t>(4 - free_pages) * 4096, 'x');
      auto joined = Rendezvous::join(domain, uri(), Role::receiver, fifo_keeper(path()), soon());
      EXPECT_TRUE(joined || joined.failed_with(Errc::no_space)) << joined.error().message();
      refused = refused || !joined;
      entered = entered || joined;
      if (joined) {
        std::move(*joined).leave(soon()).or_throw();
      }
      EXPECT_EQ(kit::names_in(small), std::vector<std::string>{"filler"}) << free_pages << " pages";
      EXPECT_FALSE(fs::exists(path())) << free_pages << " pages";
    }
    EXPECT_TRUE(refused && entered);
  });
}

}  // namespace
}  // namespace transfer
