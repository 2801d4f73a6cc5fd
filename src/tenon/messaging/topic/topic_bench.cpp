// Topics beside their limits, in pairs of blocks: a round trip of short messages beside a bounced cache line, one way
// beside the bare sequenced ring, and what publishing costs beside more subscribers than one.
#include <tenon/messaging/topic/topic.hpp>

#include <tenon/memory/type_fields.hpp>

#include <harness/payload.hpp>
#include <harness/probe.hpp>
#include <harness/spin.hpp>
#include <limits/ring_subjects.hpp>
#include <limits/sequenced_ring.hpp>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

using namespace tenon;

namespace {

template <std::size_t Words>
struct Payload {
  std::array<std::uint64_t, Words> words;
};
using Eight = Payload<1>;
using Forty = Payload<5>;
using Line = Payload<8>;
using Kibibyte = Payload<128>;
TENON_FIELDS(Eight, words);
TENON_FIELDS(Forty, words);
TENON_FIELDS(Line, words);
TENON_FIELDS(Kibibyte, words);

constexpr auto across_cores = harness::StreamPair::Where::across_cores;

std::string domain_path() {
  static const std::string path = "/dev/shm/tenon-topic-bench-" + std::to_string(::getpid());
  return path;
}

/// A process's membership in the benchmark's domain, for as long as it runs.
struct Member {
  Domain domain = Domain::open(domain_path()).or_throw();
  Life life = Life::join(domain).or_throw();
  Holder holder = Holder::of(domain, life).or_throw();
};

/// The topics of one start have names of their own: the sides of the last start may be alive yet.
void number_the_start(MutableBytes shared) {
  static std::uint64_t starts = 0;
  ++starts;
  std::memcpy(shared.data(), &starts, sizeof starts);
}
std::string name_of_start(MutableBytes shared, const char* which) {
  std::uint64_t start = 0;
  std::memcpy(&start, shared.data(), sizeof start);
  return which + std::to_string(start);
}

template <class T>
constexpr std::size_t words_of = sizeof(T) / 8;

template <class T>
struct Sender {
  std::shared_ptr<Member> self;
  std::shared_ptr<Publisher<T>> publisher;
  std::uint64_t at = 0;

  Sender(std::shared_ptr<Member> member, const std::string& topic, const PublisherOptions& options)
      : self(std::move(member)),
        publisher(std::make_shared<Publisher<T>>(Publisher<T>::create(self->holder, topic, options).or_throw())) {}
  void await_subscribers(std::size_t count) const {
    harness::spin_until([&] { return publisher->subscribers().size() >= count; });
  }
  void step() {
    if constexpr (MessageShape<T>::in_chunks) {
      auto loan = publisher->loan().or_throw();
      harness::write_words<words_of<T>>(loan->words.data(), at);
      publisher->publish(std::move(loan), never).or_throw();
    } else {
      T message;
      harness::write_words<words_of<T>>(message.words.data(), at);
      publisher->publish(message, never).or_throw();
    }
    ++at;
  }
};

template <class T>
struct Receiver {
  std::shared_ptr<Member> self;
  std::shared_ptr<Subscriber<T>> subscriber;
  std::uint64_t at = 0;

  Receiver(std::shared_ptr<Member> member, const std::string& topic, const SubscriberOptions& options)
      : self(std::move(member)),
        subscriber(std::make_shared<Subscriber<T>>(Subscriber<T>::create(self->holder, topic, options).or_throw())) {}
  void step() {
    const auto sample = subscriber->receive(never).or_throw();
    harness::check_words<words_of<T>>(sample->words.data(), at);
    ++at;
  }
};

template <class T>
harness::Subject there_and_back(const PublisherOptions& options) {
  const auto side = [=](bool asks) {
    return [=](MutableBytes shared) {
      const auto self = std::make_shared<Member>();
      Sender<T> sender(self, name_of_start(shared, asks ? "there" : "back"), options);
      Receiver<T> receiver(self, name_of_start(shared, asks ? "back" : "there"), {.waiting = Waiting::spin});
      sender.await_subscribers(1);
      struct Asker {
        Sender<T> sender;
        Receiver<T> receiver;
        bool asks;
        void step() {
          if (asks) {
            sender.step();
          }
          receiver.step();
          if (!asks) {
            sender.step();
          }
        }
      };
      return Asker{std::move(sender), std::move(receiver), asks};
    };
  };
  return {.name = "there and back",
          .shared_bytes = cache_line,
          .sides = {limits::stepping_side("asker", side(true)), limits::stepping_side("answerer", side(false))},
          .prepare = number_the_start};
}

template <class T>
harness::Subject one_way(const PublisherOptions& options, std::uint64_t lap) {
  return {.name = "one way",
          .shared_bytes = cache_line,
          .sides = {limits::stepping_side("sender",
                                          [=](MutableBytes shared) {
                                            Sender<T> sender(std::make_shared<Member>(), name_of_start(shared, "t"),
                                                             options);
                                            sender.await_subscribers(1);
                                            return sender;
                                          }),
                    limits::stepping_side("receiver",
                                          [=](MutableBytes shared) {
                                            return Receiver<T>(std::make_shared<Member>(), name_of_start(shared, "t"),
                                                               {.waiting = Waiting::spin});
                                          })},
          .timed_side = 1,
          .lap = lap,
          .prepare = number_the_start};
}

/// One process that publishes to so many lossy subscribers, none of which looks.
harness::Subject publish_to(std::size_t subscribers) {
  struct Alone {
    Sender<Forty> sender;
    std::shared_ptr<std::vector<Subscriber<Forty>>> others;
    void step() { sender.step(); }
  };
  return {.name = "publish",
          .shared_bytes = cache_line,
          .sides = {limits::stepping_side(
              "publisher",
              [=](MutableBytes shared) {
                const auto self = std::make_shared<Member>();
                const std::string topic = name_of_start(shared, "t");
                auto others = std::make_shared<std::vector<Subscriber<Forty>>>();
                for (std::size_t i = 0; i < subscribers; ++i) {
                  others->push_back(Subscriber<Forty>::create(self->holder, topic, {.reliable = false}).or_throw());
                }
                return Alone{Sender<Forty>(self, topic, {}), others};
              })},
          .prepare = number_the_start};
}

std::vector<harness::StreamPair> pairs() {
  constexpr PublisherOptions few{.depth = 1024, .timestamps = Timestamps::none};
  constexpr PublisherOptions stamped{.depth = 1024, .timestamps = Timestamps::exact};
  constexpr PublisherOptions many{.depth = 65536, .timestamps = Timestamps::none};
  constexpr PublisherOptions chunks{.depth = 1024, .held = 16, .timestamps = Timestamps::none};
  const auto line = [] { return harness::bounced_line(); };
  const auto bare = [](auto size, std::uint64_t slots) {
    return limits::one_way("one way", limits::bare_ring<limits::SequencedRing<size()>>(slots));
  };
  constexpr std::integral_constant<std::size_t, 64> of_a_line;
  constexpr std::integral_constant<std::size_t, 1088> of_a_kibibyte;
  return {
      {.name = "8 B there and back, spinning, unstamped: line",
       .bare = line(),
       .wrapped = there_and_back<Eight>(few),
       .where = across_cores},
      {.name = "40 B there and back, spinning, unstamped: line",
       .bare = line(),
       .wrapped = there_and_back<Forty>(few),
       .where = across_cores},
      {.name = "40 B there and back, spinning, stamped: line",
       .bare = line(),
       .wrapped = there_and_back<Forty>(stamped),
       .where = across_cores},
      {.name = "40 B one way, depth 1,024, unstamped: ring",
       .bare = bare(of_a_line, 1024),
       .wrapped = one_way<Forty>(few, 1024),
       .where = across_cores},
      {.name = "40 B one way, depth 65,536, unstamped: ring",
       .bare = bare(of_a_line, 65536),
       .wrapped = one_way<Forty>(many, 65536),
       .where = across_cores},
      {.name = "64 B one way, depth 65,536, unstamped: ring",
       .bare = bare(of_a_line, 65536),
       .wrapped = one_way<Line>(many, 65536),
       .where = across_cores},
      {.name = "1 KiB one way, depth 1,024, unstamped: ring",
       .bare = bare(of_a_kibibyte, 1024),
       .wrapped = one_way<Kibibyte>(chunks, 1024),
       .where = across_cores},
      {.name = "publish to 64 lossy: to 1", .bare = publish_to(1), .wrapped = publish_to(64)},
  };
}

}  // namespace

int main() try {
  const Domain domain = Domain::open(domain_path()).or_throw();
  const int code = harness::print_paired("topic", pairs());
  std::error_code dropped;
  std::filesystem::remove_all(domain_path(), dropped);
  return code;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
