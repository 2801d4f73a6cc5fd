/// Questions and answers over one connection: each message arrives by itself, and the end is told from an empty one.
#include <tenon/ipc/unix_seqpacket/unix_seqpacket.hpp>
#include <tenon/os/process.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

using namespace tenon;

namespace {

// For a partner that may never answer.
Deadline soon() { return after(std::chrono::seconds(10)); }

int count_letters(UnixSeqpacket asker) {
  std::array<std::byte, 100> question;
  while (true) {
    const auto size = asker.receive(question, soon());
    if (size.failed_with(Errc::closed)) {
      return 0;
    }
    if (!size) {
      throw Failure(size.error());
    }
    asker.send(bytes_of(std::to_string(*size)), soon()).or_throw();
  }
}

}  // namespace

int main() try {
  auto [asker, answerer] = UnixSeqpacket::pair().or_throw();
  Child child = spawn([&, &here = asker, &there = answerer] {
                  std::move(here).close().or_throw();  // else the child itself would keep the connection open
                  return count_letters(std::move(there));
                }).or_throw();
  std::move(answerer).close().or_throw();

  for (const std::string text : {"tenon", "", "mortise"}) {
    asker.send(bytes_of(text), soon()).or_throw();
    std::array<std::byte, 100> answer;
    const std::size_t size = asker.receive(answer, soon()).or_throw();
    std::printf("\"%s\" has %s letters\n", text.c_str(), std::string(text_of(Bytes(answer).first(size))).c_str());
  }
  std::move(asker).close().or_throw();
  return child.wait(soon()).or_throw().success() ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
