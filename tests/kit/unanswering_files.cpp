#include <kit/unanswering_files.hpp>

#include <tenon/os/procfs.hpp>

#include <kit/reported_child.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace kit {

namespace {

constexpr std::uint64_t file_node = 2;

fuse_attr attributes_of(std::uint64_t node) {
  fuse_attr attributes{};
  attributes.ino = node;
  attributes.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0666;
  attributes.nlink = 1;
  attributes.uid = ::geteuid();
  attributes.gid = ::getegid();
  return attributes;
}

template <class Body>
void answer(int device, std::uint64_t request, const Body& body) {
  fuse_out_header head{.len = sizeof(fuse_out_header) + sizeof(Body), .error = 0, .unique = request};
  Body copy = body;
  const std::array<iovec, 2> parts = {iovec{&head, sizeof head}, iovec{&copy, sizeof copy}};
  [[maybe_unused]] const auto written = ::writev(device, parts.data(), 2);
}

void answer_error(int device, std::uint64_t request, int error) {
  fuse_out_header head{.len = sizeof(fuse_out_header), .error = -error, .unique = request};
  [[maybe_unused]] const auto written = ::write(device, &head, sizeof head);
}

void answer_init(int device, std::uint64_t request) {
  fuse_init_out init{};
  init.major = FUSE_KERNEL_VERSION;
  init.minor = 31;
  init.max_write = 4096;
  answer(device, request, init);
}

// Nothing is valid for any time: whoever looks has to ask.
void answer_attributes(int device, const fuse_in_header& head) {
  fuse_attr_out out{};
  out.attr = attributes_of(head.nodeid);
  answer(device, head.unique, out);
}

void answer_entry(int device, const fuse_in_header& head) {
  fuse_entry_out out{};
  out.nodeid = file_node;
  out.attr = attributes_of(file_node);
  answer(device, head.unique, out);
}

void answer_one(int device, const fuse_in_header& head) {
  switch (head.opcode) {
    case FUSE_INIT:
      return answer_init(device, head.unique);
    case FUSE_GETATTR:
      return answer_attributes(device, head);
    case FUSE_LOOKUP:
      return answer_entry(device, head);
    case FUSE_OPEN:
      return answer(device, head.unique, fuse_open_out{});
    case FUSE_RELEASE:
      return answer_error(device, head.unique, 0);
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
      return;
    default:
      return answer_error(device, head.unique, ENOSYS);
  }
}

void serve(int device) {
  alignas(fuse_in_header) std::array<std::byte, FUSE_MIN_READ_BUFFER> room{};
  while (true) {
    const ssize_t got = ::read(device, room.data(), room.size());
    if (got == -1 && errno == ENODEV) {
      return;  // it was taken off
    }
    if (got >= static_cast<ssize_t>(sizeof(fuse_in_header))) {
      fuse_in_header head{};
      std::memcpy(&head, room.data(), sizeof head);
      answer_one(device, head);
    }
  }
}

}  // namespace

UnansweringFiles::UnansweringFiles(const std::string& directory) : directory_(directory) {
  const int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
  const std::string options = "fd=" + std::to_string(device) +
                              ",rootmode=40000,user_id=" + std::to_string(::geteuid()) +
                              ",group_id=" + std::to_string(::getegid());
  if (device == -1 || ::mount("unanswering", directory.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == -1) {
    refusal_ = std::string(device == -1 ? "/dev/fuse: " : "mount: ") + std::strerror(errno);
  } else {
    server_ = std::make_unique<ReportedChild>("the server of a file system", [device] { serve(device); });
    // The kernel is told that nothing is to be done when a file is closed: who is killed later need not wait for that.
    ::close(::open((directory + "/first").c_str(), O_RDONLY | O_CLOEXEC));
  }
  ::close(device);
}

UnansweringFiles::~UnansweringFiles() {
  if (server_) {
    server_->kill();
    static_cast<void>(server_->finish(tenon::never));
    ::umount2(directory_.c_str(), MNT_DETACH);
  }
}

void UnansweringFiles::answer_no_more() {
  const pid_t pid = server_->process().pid();
  ::kill(pid, SIGSTOP);
  while (tenon::procfs::process(pid).or_throw().state != 'T') {
    ::sched_yield();
  }
}

}  // namespace kit
