#include <tenon/channel/pipe_channel.hpp>

#include <tenon/channel/pipe_carrier.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/os/system_call.hpp>

#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

Fail invalid(const std::string& number, const std::string& why) {
  return fail(Error(Errc::invalid_argument).on("pipe:" + number).because(why));
}

Result<FdView> parse(const std::string& number) {
  int raw = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), raw);
  if (error != std::errc() || end != number.data() + number.size() || raw < 0) {
    return invalid(number, "FD is the number of an inherited descriptor, as in pipe:0");
  }
  return FdView(raw);
}

Result<void> check(FdView fd, const std::string& number, int direction) {
  const int flags = ::fcntl(fd.raw(), F_GETFL);
  if (flags == -1) {
    return invalid(number, "no such descriptor is open");
  }
  if (!is_pipe(fd)) {
    return invalid(number,
                   "the descriptor is no end of a pipe, as it is in: tenon send pipe:1 FILE | tenon recv pipe:0");
  }
  if ((flags & O_ACCMODE) != direction && (flags & O_ACCMODE) != O_RDWR) {
    return invalid(number, direction == O_RDONLY ? "it is a pipe's write end; here its read end is needed"
                                                 : "it is a pipe's read end; here its write end is needed");
  }
  return {};
}

Result<Fd> take_over(FdView fd) {
  constexpr int first_free = 3;
  auto taken = fd_from(::fcntl(fd.raw(), F_DUPFD_CLOEXEC, first_free), "fcntl");
  if (!taken) {
    return taken;
  }
  if (fd.raw() >= first_free) {
    return std::move(Fd::adopt(fd.raw())).close().transform([&] { return std::move(*taken); });
  }
  auto nothing = fd_from(uninterrupted([&] { return ::open("/dev/null", O_RDWR | O_CLOEXEC); }), "open");
  if (!nothing || uninterrupted([&] { return ::dup2(nothing->raw(), fd.raw()); }) == -1) {
    return fail(os_failure("dup2", errno));
  }
  return taken;
}

// Both ends of one pipe have one inode: that is the channel's name.
std::string name_of_pipe(FdView fd) {
  struct stat status{};
  ::fstat(fd.raw(), &status);
  return "pipe:[" + std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) + "]";
}

struct Met {
  Rendezvous rendezvous;
  Fd end;
};

Result<Met> meet(const std::string& number, std::shared_ptr<const Domain> domain, Role role, Deadline deadline) {
  return parse(number).and_then([&](FdView fd) -> Result<Met> {
    if (auto checked = check(fd, number, role == Role::receiver ? O_RDONLY : O_WRONLY); !checked) {
      return fail(std::move(checked.error()));
    }
    ObjectKeeper keeper;  // nothing is made here, but a join sweeps up what dead channels of other kinds have made
    keeper.remove = remove_channel_object;
    return Rendezvous::join(std::move(domain), name_of_pipe(fd), role, std::move(keeper), deadline)
        .and_then([&](Rendezvous rendezvous) {
          return take_over(fd).transform(
              [&](Fd end) { return Met{.rendezvous = std::move(rendezvous), .end = std::move(end)}; });
        });
  });
}

}  // namespace

Result<Sender> open_pipe_sender(const std::string& number, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return meet(number, std::move(domain), Role::sender, deadline).transform([](Met met) {
    return Sender(std::move(met.rendezvous), std::make_unique<PipeSink>(WriteEnd::adopt(std::move(met.end))));
  });
}

Result<Receiver> open_pipe_receiver(const std::string& number, std::shared_ptr<const Domain> domain,
                                    Deadline deadline) {
  return meet(number, std::move(domain), Role::receiver, deadline).transform([](Met met) {
    return Receiver(std::move(met.rendezvous), std::make_unique<PipeSource>(ReadEnd::adopt(std::move(met.end))));
  });
}

}  // namespace tenon
