// iceoryx: an untyped publisher and subscriber, zero-copy, of which neither loses anything. Polling is take();
// blocking is a WaitSet.
#include <harness/payload.hpp>
#include <harness/spin.hpp>
#include <peers/peer.hpp>
#include <peers/roudi.hpp>

#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

namespace peers {

namespace {

using tenon::MutableBytes;

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
          .start = roudi};
}

}  // namespace peers
