#include <service/calls.hpp>

#include <tenon/messaging/service/service.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <harness/table.hpp>
#include <limits/run.hpp>
#include <limits/sleepy_end.hpp>
#include <limits/stepping_side.hpp>
#include <topic/ends.hpp>

#include <fmt/format.h>
#include <memory>
#include <new>
#include <type_traits>

namespace services {

using harness::Subject;
using limits::Where;
using tenon::MutableBytes;
using tenon::never;
using tenon::Waiting;
using topics::Bytes40;
using topics::Bytes64;
using topics::Bytes8;
using topics::Member;

namespace {

constexpr const char* service_name = "s";

/// What a trip through a service may take, beside that of a topic.
constexpr double most_of_a_trip = 2.2;

// A message of this many bytes, written and checked as the topic's are.
template <class T>
class Message {
 public:
  explicit Message(std::size_t) {}
  const T& write(std::uint64_t number) {
    harness::write_words<sizeof(T) / 8>(value_.words.data(), number);
    return value_;
  }
  static void check(const tenon::Received<T>& got, std::uint64_t number) {
    harness::check_words<sizeof(T) / 8>(got->words.data(), number);
  }

 private:
  T value_;
};
template <>
class Message<tenon::Bytes> {
 public:
  explicit Message(std::size_t bytes) : words_(bytes / 8) {}
  tenon::Bytes write(std::uint64_t number) {
    harness::write_payload(std::as_writable_bytes(std::span(words_)), number);
    return std::as_bytes(std::span(words_));
  }
  static void check(const tenon::Received<tenon::Bytes>& got, std::uint64_t number) {
    harness::check_payload(*got, number);
  }

 private:
  std::vector<std::uint64_t> words_;
};

template <class T>
class Asker {
 public:
  Asker(MutableBytes shared, std::size_t bytes, Waiting waiting)
      : self_(std::make_shared<Member>(shared)),
        client_(std::make_shared<tenon::Client<T, T>>(
            tenon::Client<T, T>::create(self_->holder(), service_name, {.longest = bytes, .waiting = waiting})
                .or_throw())),
        message_(bytes) {}
  void tell() { pending_->emplace(client_->begin(message_.write(at_), never).or_throw()); }
  void await() {
    Message<T>::check((*pending_)->answer(never).or_throw(), at_++);
    pending_->reset();
  }
  void step() {
    Message<T>::check(client_->call(message_.write(at_), never).or_throw(), at_);
    ++at_;
  }

 private:
  std::shared_ptr<Member> self_;
  std::shared_ptr<tenon::Client<T, T>> client_;
  std::shared_ptr<std::optional<tenon::PendingCall<T>>> pending_ =
      std::make_shared<std::optional<tenon::PendingCall<T>>>();
  Message<T> message_;
  std::uint64_t at_ = 0;
};

// A client that chooses nothing asks for room for some seventy of the longest responses.
tenon::ServerOptions options_for(std::size_t bytes, Waiting waiting) {
  constexpr std::size_t responses = 128;
  tenon::ServerOptions options{.longest = bytes, .waiting = waiting};
  options.most_bytes_per_client = std::max<std::uint64_t>(options.most_bytes_per_client, responses * bytes);
  return options;
}

template <class T>
class Answerer {
 public:
  Answerer(MutableBytes shared, std::size_t bytes, Waiting waiting)
      : self_(std::make_shared<Member>(shared)),
        server_(std::make_shared<tenon::Server<T, T>>(
            tenon::Server<T, T>::create(self_->holder(), service_name, options_for(bytes, waiting)).or_throw())),
        message_(bytes) {}
  void await() {
    call_->emplace(server_->receive(never).or_throw());
    Message<T>::check((*call_)->request(), at_);
  }
  void tell() {
    std::move(**call_).respond(message_.write(at_++)).or_throw();
    call_->reset();
  }
  void step() {
    auto call = server_->receive(never).or_throw();
    Message<T>::check(call.request(), at_);
    std::move(call).respond(message_.write(at_++)).or_throw();
  }

 private:
  std::shared_ptr<Member> self_;
  std::shared_ptr<tenon::Server<T, T>> server_;
  std::shared_ptr<std::optional<tenon::ServedCall<T, T>>> call_ =
      std::make_shared<std::optional<tenon::ServedCall<T, T>>>();
  Message<T> message_;
  std::uint64_t at_ = 0;
};

template <class T>
struct Type {};

template <class SubjectOf>
Subject of_size(std::size_t bytes, SubjectOf subject_of) {
  switch (bytes) {
    case sizeof(Bytes8):
      return subject_of(Type<Bytes8>());
    case sizeof(Bytes40):
      return subject_of(Type<Bytes40>());
    case sizeof(Bytes64):
      return subject_of(Type<Bytes64>());
    default:
      return subject_of(Type<tenon::Bytes>());
  }
}

topics::Row row_of(std::size_t bytes, const std::string& how, Subject topic, Subject service, Where where) {
  return {
      .group = "a call, beside a topic's message there and back",
      .name = fmt::format("{} call and answer", harness::size_text(bytes)),
      .options = how,
      .limits = {{.family = "topic", .subject = std::move(topic), .where = where, .kind = limits::Kind::round_trip}},
      .subject = std::move(service),
      .placement = limits::placement_of(where),
      .kind = limits::Kind::round_trip,
      .aim = {.ratio = most_of_a_trip}};
}

struct Shared {
  alignas(tenon::cache_line) std::array<std::byte, topics::start_bytes> start;
  double server;
};

}  // namespace

Subject round_trip(std::size_t bytes, Waiting waiting) {
  return of_size(bytes, [=]<class T>(Type<T>) {
    return Subject{
        .name = "service",
        .shared_bytes = topics::start_bytes,
        .sides = {limits::stepping_side("asker", [=](MutableBytes shared) { return Asker<T>(shared, bytes, waiting); }),
                  limits::stepping_side("answerer",
                                        [=](MutableBytes shared) { return Answerer<T>(shared, bytes, waiting); })},
        .prepare = topics::new_domain};
  });
}

Subject round_trip_asleep(std::size_t bytes, Where where) {
  const auto end = [=](auto make_signal, bool begins) {
    return [=](MutableBytes shared) {
      auto signal = make_signal(shared.first(topics::start_bytes));
      return limits::SleepyEnd<decltype(signal)>{
          .signal = std::move(signal),
          .answerers_wait = reinterpret_cast<std::int64_t*>(shared.data() + topics::start_bytes),
          .begins = begins,
          .lets_sleep = where == Where::across_cores};
    };
  };
  return of_size(bytes, [&]<class T>(Type<T>) {
    const auto asker = [=](MutableBytes shared) { return Asker<T>(shared, bytes, Waiting::sleep); };
    const auto answerer = [=](MutableBytes shared) { return Answerer<T>(shared, bytes, Waiting::sleep); };
    return Subject{.name = "service",
                   .shared_bytes = topics::start_bytes + tenon::cache_line,
                   .sides = {limits::stepping_side("asker", end(asker, true)),
                             limits::stepping_side("answerer", end(answerer, false))},
                   .prepare = topics::new_domain};
  });
}

topics::Row call_row(std::size_t bytes, Waiting waiting) {
  const topics::Traffic traffic = topics::usual_trip(bytes, waiting);
  const std::string how = topics::options_text(traffic);
  return waiting == Waiting::sleep
             ? row_of(bytes, how, topics::there_and_back_asleep(traffic, Where::across_cores),
                      round_trip_asleep(bytes, Where::across_cores), Where::across_cores)
             : row_of(bytes, how, topics::there_and_back(traffic), round_trip(bytes, waiting), Where::across_cores);
}

std::vector<topics::Row> all_rows() {
  std::vector<topics::Row> rows;
  for (const Waiting waiting : {Waiting::spin, Waiting::adaptive}) {
    for (const std::size_t bytes : {8U, 40U, 64U, 1024U, 65536U}) {
      rows.push_back(call_row(bytes, waiting));
    }
  }
  for (const std::size_t bytes : {8U, 64U}) {
    rows.push_back(call_row(bytes, Waiting::sleep));
  }
  return rows;
}

tenon::Result<topics::Idleness> measure_idleness(Waiting waiting, std::chrono::nanoseconds time) {
  auto memory = tenon::Mapping::shared_with_children(sizeof(Shared));
  if (!memory) {
    return tenon::fail(std::move(memory.error()));
  }
  auto& shared = *new (memory->data()) Shared{};
  topics::new_domain(shared.start);
  const Member self(shared.start);
  auto client = tenon::Client<Bytes64, Bytes64>::create(self.holder(), service_name);
  auto waits = tenon::spawn([&] {
    const Member other(shared.start);
    auto server =
        tenon::Server<Bytes64, Bytes64>::create(other.holder(), service_name, {.waiting = waiting}).or_throw();
    (void)server.receive(never).or_throw();
    const std::int64_t from = tenon::monotonic_now();
    const std::int64_t used = tenon::processor_time();
    (void)server.receive(tenon::after(time));
    shared.server =
        static_cast<double>(tenon::processor_time() - used) / static_cast<double>(tenon::monotonic_now() - from);
    return 0;
  });
  if (!client || !waits) {
    return tenon::fail(std::move(client ? waits.error() : client.error()));
  }
  auto first = client->begin(Bytes64{}, never);
  auto ended = waits->wait(never);
  if (!first || !ended) {
    return tenon::fail(std::move(first ? ended.error() : first.error()));
  }
  return topics::Idleness{.subscriber = shared.server, .bare = 0};
}

}  // namespace services
