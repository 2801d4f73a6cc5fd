/// Memory that is written, sealed, and handed to a child that believes nothing: it maps what is sealed, or not at all.
#include <tenon/ipc/memfd/memfd.hpp>
#include <tenon/os/process.hpp>

#include <cstdio>
#include <cstring>
#include <string>

using namespace tenon;

namespace {

constexpr const char* greeting = "Hello, sealed!";

// The child inherits the descriptor, as it could have got it over a socket, and looks before it reads.
int read_sealed(Memfd memory) {
  const auto unsealed = memory.map(Access::read_write, Seals::none);
  const Mapping shared = memory.map(Access::read, Seals::shrink | Seals::write).or_throw();
  const std::string text(text_of(shared.bytes()).substr(0, std::strlen(greeting)));
  std::printf("Child read: %s\n", text.c_str());
  return text == greeting && unsealed.failed_with(Errc::permission_denied) ? 0 : 1;
}

}  // namespace

int main() try {
  Memfd memory = Memfd::create("greeting", 4096).or_throw();
  {
    // Nobody may have it mapped for writing when it is sealed against that.
    const Mapping writing = memory.map(Access::read_write, Seals::none).or_throw();
    std::memcpy(writing.data(), greeting, std::strlen(greeting));
  }
  memory.seal(Seals::shrink | Seals::grow | Seals::write | Seals::seal).or_throw();

  Child child = spawn([&] { return read_sealed(std::move(memory)); }).or_throw();
  return child.wait(never).or_throw().success() ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
