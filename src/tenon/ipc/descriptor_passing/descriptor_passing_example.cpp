/// A privileged process opens what its worker may not open itself, and hands it over: a file, a memory, a socket.
#include <tenon/ipc/descriptor_passing/descriptor_passing.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unix_socket.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <grp.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tenon;

namespace {

constexpr uid_t nobody_user = 65534;

// For a partner that may never come.
Deadline soon() { return after(std::chrono::seconds(10)); }

void must(bool done, const char* call) {
  if (!done) {
    throw Failure(os_failure(call, errno));
  }
}

void say(const char* line) {
  std::printf("%s\n", line);
  std::fflush(stdout);
}

// A process that may do everything becomes one that may do little; any other loses its right to the file alone.
void give_up_privileges() {
  if (::geteuid() == 0) {
    must(::setgroups(0, nullptr) == 0, "setgroups");
    must(::setresgid(nobody_user, nobody_user, nobody_user) == 0, "setresgid");
    must(::setresuid(nobody_user, nobody_user, nobody_user) == 0, "setresuid");
  }
}

std::string text_from(ssize_t got, const std::array<char, 100>& text) {
  must(got > 0, "read");
  return std::string(text.data(), static_cast<std::size_t>(got));
}

int work(const Fd& privileged) {
  give_up_privileges();
  std::array<std::byte, 100> path_bytes;
  const Delivery delivery = receive_descriptors(privileged.view(), path_bytes, 3, soon()).or_throw();
  const std::string path(text_of(Bytes(path_bytes).first(delivery.bytes)));
  if (delivery.descriptors.size() != 3) {
    return 1;
  }
  if (::open(path.c_str(), O_RDONLY | O_CLOEXEC) != -1 || errno != EACCES) {
    return 1;
  }
  say("own open denied");

  std::array<char, 100> text{};
  const auto read_at_start = [&](const Fd& from) {
    return text_from(::pread(from.raw(), text.data(), text.size(), 0), text);
  };
  const bool file = read_at_start(delivery.descriptors[0]) == "from the file";
  say(file ? "file works" : "the file is another one");
  const bool memory = read_at_start(delivery.descriptors[1]) == "from the memory";
  say(memory ? "memfd works" : "the memory is another one");
  const int socket = delivery.descriptors[2].raw();
  const bool heard = text_from(::recv(socket, text.data(), text.size(), 0), text) == "over the socket";
  say(heard ? "socket works" : "the socket is another one");
  return file && memory && heard ? 0 : 1;
}

// A file that nobody but root may open, and that exists for as long as this program runs.
class Secret {
 public:
  explicit Secret(std::string path) : path_(std::move(path)) {
    file_ = fd_from(::open(path_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
    must(::write(file_.raw(), "from the file", 13) == 13, "write");
    must(::fchmod(file_.raw(), 0) == 0, "fchmod");
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { ::unlink(path_.c_str()); }

  const std::string& path() const { return path_; }
  FdView file() const { return file_.view(); }

 private:
  std::string path_;
  Fd file_ = Fd::adopt(-1);
};

}  // namespace

int main(int argc, char** argv) try {
  auto [here, there] = make_socket_pair(SocketKind::stream).or_throw();
  Child worker = spawn([&, &own = here, &privileged = there] {
                   std::move(own).close().or_throw();
                   return work(privileged);
                 }).or_throw();

  const Secret secret(argc > 1 ? argv[1] : "/tmp/secret-" + std::to_string(::getpid()));
  const Fd memory = fd_from(::memfd_create("handed over", MFD_CLOEXEC), "memfd_create").or_throw();
  must(::write(memory.raw(), "from the memory", 15) == 15, "write");
  const auto [said, heard] = make_socket_pair(SocketKind::stream).or_throw();
  must(::send(said.raw(), "over the socket", 15, MSG_NOSIGNAL) == 15, "send");

  const std::array<FdView, 3> all = {secret.file(), memory.view(), heard.view()};
  send_descriptors(here.view(), bytes_of(secret.path()), all, soon()).or_throw();
  return worker.wait(soon()).or_throw().success() ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
