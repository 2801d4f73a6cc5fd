#pragma once
/// What the short and the long suite of every channel share: `tenon send` and `tenon recv` over the channel of a row.
#include "channel_rows.hpp"
#include "fixture.hpp"

#include <tenon/channel/rendezvous_file.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>

namespace transfer {

// Random, and each mebibyte another: a piece that is missing, doubled or elsewhere makes a difference.
inline std::string random_bytes(std::size_t size) {
  std::mt19937_64 random(size);
  std::string block(std::min<std::size_t>(size, 1U << 20), '\0');
  std::ranges::generate(block, [&] { return static_cast<char>(random()); });
  std::string bytes;
  while (bytes.size() < size) {
    const std::string number = std::to_string(bytes.size());
    block.replace(0, std::min(number.size(), block.size()), number, 0, block.size());
    bytes.append(block, 0, size - bytes.size());
  }
  return bytes;
}

class EveryChannel : public Transfer, public testing::WithParamInterface<ChannelRow> {
 protected:
  EveryChannel() {
    if (GetParam().inherited) {
      pipe_ = tenon::Pipe::pair().or_throw();
    } else {
      rest_ = GetParam().rest(directory_.path());
    }
  }
  void TearDown() override { EXPECT_FALSE(GetParam().exists(rest_)) << "the channel's object is left"; }

  // `tenon send` or `tenon recv`, with its end in place of standard output or input where ends are handed on.
  std::unique_ptr<Command> start(const std::string& command, std::vector<std::string> arguments) {
    const bool sends = command == "send";
    const std::string uri = GetParam().scheme + ":" + (pipe_ ? (sends ? "1" : "0") : rest_);
    arguments.insert(arguments.begin(), {command, uri});
    if (!pipe_) {
      return std::make_unique<Command>(arguments);
    }
    tenon::Fd end = (sends ? pipe_->writer.fd() : pipe_->reader.fd()).duplicate().or_throw();
    return sends ? std::make_unique<Command>(arguments, std::nullopt, std::move(end))
                 : std::make_unique<Command>(arguments, std::move(end));
  }
  std::unique_ptr<Command> start_send(std::vector<std::string> arguments = {}) {
    return start("send", std::move(arguments));
  }
  std::unique_ptr<Command> start_recv(std::vector<std::string> arguments = {}) {
    return start("recv", std::move(arguments));
  }

  // Until so many are, or have been, entered at the channel.
  void until_entered(std::size_t sides) {
    eventually([&] {
      for (const std::string& name : kit::names_in(domain_.path())) {
        std::error_code gone;
        const auto size = fs::file_size(domain_.path() + "/" + name, gone);
        if (name.starts_with("channel.") && !gone && size >= tenon::RendezvousFile::place_of(sides)) {
          return true;
        }
      }
      return false;
    });
  }

  void expect_arrives(const std::string& bytes, bool sender_first) {
    const std::string file = write_file(bytes);
    auto first = sender_first ? start_send({file}) : start_recv({"-o", output()});
    until_entered(1);
    auto second = sender_first ? start_recv({"-o", output()}) : start_send({file});
    for (const auto& side : {&*first, &*second}) {
      const Finished ended = side->finish();
      EXPECT_EQ(ended.errors, "") << bytes.size() << " bytes, sender first: " << sender_first;
      EXPECT_TRUE(ended.status.success());
    }
    EXPECT_TRUE(contents(output()) == bytes) << bytes.size() << " bytes, sender first: " << sender_first;
    expect_only({"file", "output"});
  }

  void inject(tenon::Bytes bytes) {
    if (pipe_) {
      pipe_->writer.write(bytes, tenon::never).or_throw();
    } else {
      GetParam().inject(rest_, bytes);
    }
  }

  // An end that is handed on is held by the test too, until it lets go: as a shell would, once both sides run.
  void let_go() { pipe_.reset(); }

  std::optional<tenon::Pipe> pipe_;
  std::string rest_;
};

/// How a test of that row is called.
inline std::string name_of(const testing::TestParamInfo<ChannelRow>& one) {
  std::string name = one.param.scheme;
  std::ranges::replace(name, '-', '_');
  return name;
}

}  // namespace transfer
