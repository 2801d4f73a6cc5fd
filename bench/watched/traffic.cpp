#include <watched/traffic.hpp>

#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/queue/queue.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/sync/membership.hpp>

#include <array>
#include <csignal>
#include <memory>
#include <unistd.h>

namespace watched {

namespace {

using namespace tenon;

struct Word {
  std::uint64_t number;
};
TENON_FIELDS(Word, number);

// relaxed: a figure, read once in a while
void count_one(Count& received) { received.fetch_add(1, std::memory_order_relaxed); }

Membership member_of(const Domain& domain) {
  return Membership::join(std::make_shared<const Domain>(Domain::open(domain.path()).or_throw())).or_throw();
}

Kind through_pipe() {
  const auto pipe = std::make_shared<Pipe>(Pipe::pair().or_throw());
  return {.name = "pipe",
          .send =
              [pipe](const Domain&) {
                const std::array<std::byte, 64> bytes{};
                while (true) {
                  pipe->writer.write(bytes, never).or_throw();
                }
              },
          .receive =
              [pipe](const Domain&, Count& received) {
                std::array<std::byte, 64> bytes{};
                while (true) {
                  (void)pipe->reader.read(bytes, never).or_throw();
                  count_one(received);
                }
              }};
}

Kind through_queue() {
  return {.name = "queue",
          .send =
              [](const Domain& domain) {
                const Membership member = member_of(domain);
                auto queue = Queue<Word>::open_or_create(member.holder, "busy").or_throw();
                while (true) {
                  queue.send({.number = 1}, never).or_throw();
                }
              },
          .receive =
              [](const Domain& domain, Count& received) {
                const Membership member = member_of(domain);
                auto queue = Queue<Word>::open_or_create(member.holder, "busy").or_throw();
                while (true) {
                  (void)queue.receive(never).or_throw();
                  count_one(received);
                }
              }};
}

Kind through_topic() {
  return {.name = "topic",
          .send =
              [](const Domain& domain) {
                const Membership member = member_of(domain);
                auto publisher = Publisher<Word>::create(member.holder, "busy").or_throw();
                while (true) {
                  publisher.publish({.number = 1}, never).or_throw();
                }
              },
          .receive =
              [](const Domain& domain, Count& received) {
                const Membership member = member_of(domain);
                auto subscriber = Subscriber<Word>::create(member.holder, "busy").or_throw();
                while (true) {
                  (void)subscriber.receive(never).or_throw();
                  count_one(received);
                }
              }};
}

}  // namespace

std::vector<Kind> kinds() { return {through_pipe(), through_queue(), through_topic()}; }

Traffic::Traffic(const Kind& kind, const Domain& domain, const harness::Placement& place)
    : memory_(Mapping::shared_with_children(sizeof(Count)).or_throw()) {
  const auto run = [&](bool first, const auto& body) {
    return spawn([&] {
             if (!place.processors.empty()) {
               harness::pin_to(first ? place.processors.front() : place.processors.back()).or_throw();
             }
             body();
             return 0;
           })
        .or_throw();
  };
  children_.push_back(run(true, [&] { kind.receive(domain, count()); }));
  children_.push_back(run(false, [&] { kind.send(domain); }));
}

Traffic::~Traffic() {
  for (Child& child : children_) {
    (void)child.signal(SIGKILL);
    (void)child.wait(never);
  }
}

Count& Traffic::count() const noexcept { return *reinterpret_cast<Count*>(memory_.data()); }

// relaxed: as above
std::uint64_t Traffic::received() const noexcept { return count().load(std::memory_order_relaxed); }

}  // namespace watched
