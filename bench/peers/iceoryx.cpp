// iceoryx: an untyped publisher and subscriber, zero-copy, of which neither loses anything. Polling is take();
// blocking is a WaitSet. Its daemon is started for the run, and stopped by its process id.
#include <tenon/os/process.hpp>
#include <harness/payload.hpp>
#include <harness/spin.hpp>
#include <peers/peer.hpp>

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>
#include <sys/mman.h>
#include <unistd.h>

namespace peers {

namespace {

using tenon::MutableBytes;

constexpr const char* first_client = "tenon-bench-first";
constexpr const char* second_client = "tenon-bench-second";

// Each side has the same name at every start: who comes again by that name, the daemon takes for the restarted program,
// and frees what the last one held, which was killed.
void join_runtime(const char* name) {
  static const bool joined = [=] {
    iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kError,
                                                             iox::log::LogLevelOutput::kHideLogLevel);
    iox::runtime::PoshRuntime::initRuntime(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name));
    return true;
  }();
  (void)joined;
}

iox::capro::ServiceDescription service_of(MutableBytes shared) {
  const std::string path = topics::path_of_start(shared);
  return {"tenon", "bench", iox::capro::IdString_t(iox::cxx::TruncateToCapacity, path.c_str())};
}

struct Sender {
  std::shared_ptr<iox::popo::UntypedPublisher> publisher;
  Cell cell;
  std::uint64_t at = 0;

  void step() {
    void* chunk = nullptr;
    // All chunks are in the queue, or not yet released.
    harness::spin_until([&] {
      publisher->loan(static_cast<std::uint32_t>(cell.bytes)).and_then([&](void* const loaned) { chunk = loaned; });
      return chunk != nullptr;
    });
    harness::write_payload({static_cast<std::byte*>(chunk), cell.bytes}, at++);
    publisher->publish(chunk);
  }
};

struct Receiver {
  std::shared_ptr<iox::popo::UntypedSubscriber> subscriber;
  std::shared_ptr<iox::popo::WaitSet<>> wait_set;
  Cell cell;
  std::uint64_t at = 0;

  bool take() {
    const auto chunk = subscriber->take();
    if (chunk.has_error()) {
      return false;
    }
    harness::check_payload({static_cast<const std::byte*>(chunk.value()), cell.bytes}, at++);
    subscriber->release(chunk.value());
    return true;
  }
  void step() {
    if (cell.wait == Wait::polling) {
      harness::spin_until([&] { return take(); });
      return;
    }
    while (!take()) {
      wait_set->wait();
    }
  }
};

Sender sender_of(MutableBytes shared, const Cell& cell) {
  join_runtime(first_client);
  iox::popo::PublisherOptions options;
  options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
  auto publisher = std::make_shared<iox::popo::UntypedPublisher>(service_of(shared), options);
  harness::spin_until([&] { return publisher->hasSubscribers(); });
  return {publisher, cell};
}

Receiver receiver_of(MutableBytes shared, const Cell& cell) {
  join_runtime(second_client);
  iox::popo::SubscriberOptions options;
  options.queueCapacity = std::min<std::uint64_t>(queue_length(cell.bytes), 256);
  options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
  auto subscriber = std::make_shared<iox::popo::UntypedSubscriber>(service_of(shared), options);
  auto wait_set = std::make_shared<iox::popo::WaitSet<>>();
  wait_set->attachState(*subscriber, iox::popo::SubscriberState::HAS_DATA).or_else([](auto) {
    fail("WaitSet::attachState", "refused");
  });
  return {subscriber, wait_set, cell};
}

// Chunks for both directions, whose header is within their size.
void write_pools(const std::string& path) {
  std::ofstream file(path, std::ios::trunc);
  file << "[general]\nversion = 1\n\n[[segment]]\n";
  for (const auto& [size, count] :
       {std::pair{256, 2048}, std::pair{2048, 2048}, std::pair{66 << 10, 256}, std::pair{1088 << 10, 32}}) {
    file << "\n[[segment.mempool]]\nsize = " << size << "\ncount = " << count << "\n";
  }
}

// The daemon aborts on its way out when it finds clients dead, and leaves both its segments; clients that are killed
// leave their sockets. There is one daemon on a machine, and that was ours.
void remove_what_it_left() {
  ::shm_unlink("/iceoryx_mgmt");
  if (const group* const own = ::getgrgid(::getegid()); own != nullptr) {
    ::shm_unlink((std::string("/") + own->gr_name).c_str());
  }
  for (const char* name : {"roudi", "iox-unique-roudi", first_client, second_client}) {
    for (const char* end : {"", ".lock"}) {
      ::unlink((std::string("/tmp/") + name + end).c_str());
    }
  }
}

class Daemon {
 public:
  explicit Daemon(tenon::Child child) : child_(std::move(child)) {}
  ~Daemon() {
    using namespace std::chrono_literals;
    (void)child_.signal(SIGTERM);
    if (!child_.wait(tenon::after(10s))) {
      (void)child_.signal(SIGKILL);
      (void)child_.wait(tenon::never);
    }
    remove_what_it_left();
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  tenon::Child child_;
};

std::shared_ptr<void> start_daemon() {
  const std::string pools = topics::path_of_run() + "/iceoryx.toml";
  write_pools(pools);
  // Forked rather than spawned: so it dies with this process, however that dies.
  auto child = tenon::spawn([&] {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execlp("iox-roudi", "iox-roudi", "-c", pools.c_str(), "-m", "off", "-l", "error", static_cast<char*>(nullptr));
    return 127;
  });
  return std::make_shared<Daemon>(std::move(child).or_throw());
}

}  // namespace

Peer iceoryx() {
  return {.name = "iceoryx 2.0.3",
          .subject =
              [](const Cell& cell) {
                return subject_of(
                    "iceoryx", cell, queue_length(cell.bytes),
                    [=](MutableBytes shared) { return sender_of(shared, cell); },
                    [=](MutableBytes shared) { return receiver_of(shared, cell); });
              },
          .start = start_daemon};
}

}  // namespace peers
