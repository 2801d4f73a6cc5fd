/// `tar` through a stream: one process archives a directory and writes the archive, another reads it and unpacks it,
/// and both trees are the same.
#include <tenon/messaging/stream/stream.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <tenon/ipc/pipe/pipe.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

using namespace tenon;

namespace {

// What it archives: a file of each size from nothing to some megabytes, in directories.
void plant(const std::string& tree) {
  for (const std::size_t bytes : {0U, 1U, 100U, 5000U, 70'000U, 3'000'000U}) {
    const std::string directory = tree + "/" + std::to_string(bytes);
    std::filesystem::create_directories(directory);
    std::ofstream file(directory + "/counted");
    for (std::size_t i = 0; i < bytes; ++i) {
      file.put(static_cast<char>(i * i >> 5));
    }
  }
}

// `tar c`, whose output goes into the stream.
int archive(const Domain& domain, const std::string& tree) {
  const Life life = Life::join(domain).or_throw();
  const Holder self = Holder::of(domain, life).or_throw();
  auto stream = StreamWriter::open(self, "archive", never).or_throw();
  auto pipe = Pipe::pair().or_throw();
  Child tar = spawn_program("tar", {"-c", "-C", tree, "."}, {.descriptors = {{pipe.writer.fd(), 1}}}).or_throw();
  std::move(pipe.writer).close().or_throw();
  // Where the bytes come from a call that fills memory, they go into the stream's own.
  while (true) {
    const auto room = stream.loan(std::size_t{64} << 10, never).or_throw();
    const std::size_t got = pipe.reader.read(room.first, never).or_throw();
    if (got == 0) {
      break;
    }
    stream.commit(got).or_throw();
  }
  std::move(stream).close().or_throw();
  return tar.wait(never).or_throw().code();
}

// `tar x`, whose input comes from the stream.
int unpack(const Domain& domain, const std::string& into) {
  const Life life = Life::join(domain).or_throw();
  const Holder self = Holder::of(domain, life).or_throw();
  auto stream = StreamReader::open(self, "archive", never).or_throw();
  auto pipe = Pipe::pair().or_throw();
  Child tar = spawn_program("tar", {"-x", "-C", into}, {.descriptors = {{pipe.reader.fd(), 0}}}).or_throw();
  std::move(pipe.reader).close().or_throw();
  std::array<std::byte, 64 << 10> bytes{};
  std::size_t total = 0;
  while (const std::size_t got = stream.read(bytes, never).or_throw()) {
    pipe.writer.write(Bytes(bytes).first(got), never).or_throw();
    total += got;
  }
  std::move(pipe.writer).close().or_throw();
  std::printf("%s went through\n", total > 3'000'000 ? "the archive" : "too little");
  return tar.wait(never).or_throw().code();
}

}  // namespace

int main() try {
  const std::string path = "/dev/shm/tenon-example-" + std::to_string(::getpid());
  const std::string from = path + "/from";
  const std::string into = path + "/into";
  const Domain domain = Domain::open(path).or_throw();
  plant(from);
  std::filesystem::create_directory(into);
  Child writer = spawn([&] { return archive(domain, from); }).or_throw();
  Child reader = spawn([&] { return unpack(domain, into); }).or_throw();
  int code = writer.wait(never).or_throw().code() | reader.wait(never).or_throw().code();
  Child diff = spawn_program("diff", {"-r", from, into}).or_throw();
  code |= diff.wait(never).or_throw().code();
  std::printf("%s\n", code == 0 ? "both trees are the same" : "the trees differ");
  sweep(domain).or_throw();
  std::filesystem::remove_all(from);
  std::filesystem::remove_all(into);
  ::rmdir(path.c_str());
  return code;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
