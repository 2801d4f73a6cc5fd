// A process is killed while it calls, answers, receives an answer, or while it comes to a service or leaves it. Who is
// at the other end goes on: a server serves who comes next and holds nothing of the dead, a client has the whole answer
// or is told of the death; nothing is left. The control says that a call has ended before its answer is there.
#include "../cases.hpp"
#include "../topic_trial.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <tenon/messaging/service/service.hpp>

#include <array>
#include <optional>

namespace kill_cases {

namespace {

using kit::numbered;
using tenon::Errc;
using tenon::never;

constexpr tenon::ClientOptions few{.max_calls = 2, .window = 1, .max_loans = 1, .max_held = 1};

template <class T>
using ServerOf = tenon::Server<T, T>;
template <class T>
using ClientOf = tenon::Client<T, T>;

template <class T>
void answer(tenon::ServedCall<T, T> call) {
  must(kit::is_whole(*call.request()), "a request is torn");
  auto sent = std::move(call).respond(numbered<T>(call.request()->number + 1));
  must(sent.has_value() || sent.failed_with(Errc::peer_died) || sent.failed_with(Errc::aborted) ||
           sent.failed_with(Errc::closed),
       "an answer failed otherwise than by its client's death");
}

/// The victim calls, and receives; the bystander serves it, and then somebody else.
template <class T>
class CallAServer : public TopicTrial {
 public:
  CallAServer() {
    start_bystander([this] {
      auto server = ServerOf<T>::create(holder(), "s").or_throw();
      once_joined([&] { answer<T>(server.receive(never).or_throw()); });
      ready_and_wait();
      while (server.clients() != 0) {
        // All that the victim has sent, and then its death.
        if (auto call = server.receive(tenon::after(std::chrono::milliseconds(5)))) {
          answer<T>(std::move(*call));
        }
      }
      auto client = ClientOf<T>::create(holder(), "s", few).or_throw();
      for (std::uint64_t i = 1; i <= 10; ++i) {
        auto pending = client.begin(numbered<T>(i), never).or_throw();
        answer<T>(server.receive(never).or_throw());
        must_be(*pending.answer(never).or_throw(), i + 1);
      }
    });
  }
  void before() override {
    TopicTrial::before();
    client_.emplace(ClientOf<T>::create(holder(), "s", few).or_throw());
    pending_.emplace(client_->begin(numbered<T>(1), never).or_throw());
    say_joined();
  }
  void operation() override {
    must_be(*pending_->answer(never).or_throw(), 2);
    pending_.emplace(client_->begin(numbered<T>(5), never).or_throw());
    pending_->cancel();
    pending_.reset();
  }

 private:
  std::optional<ClientOf<T>> client_;
  std::optional<tenon::PendingCall<T>> pending_;
};

/// The victim takes a call and answers it in two parts; the bystander has them whole and in order, or is told.
template <class T>
class Answer : public TopicTrial {
 public:
  Answer() {
    start_bystander([this] {
      auto client = ClientOf<T>::create(holder(), "s", few).or_throw();
      std::optional<tenon::PendingCall<T>> pending;
      once_joined([&] { pending.emplace(client.begin(numbered<T>(1), never).or_throw()); });
      ready_and_wait();
      std::uint64_t received = 0;
      auto part = pending->receive(never);
      for (; part && *part; part = pending->receive(never)) {
        must_be(***part, ++received);
      }
      must(part.has_value() ? received == 2 : part.failed_with(Errc::peer_died), "a server's death was not told");
      pending.reset();
      auto server = ServerOf<T>::create(holder(), "s").or_throw();
      while (client.servers() != 1) {
      }
      pending.emplace(client.begin(numbered<T>(1), never).or_throw());
      answer<T>(server.receive(never).or_throw());
      must_be(*pending->answer(never).or_throw(), 2);
    });
  }
  void before() override {
    TopicTrial::before();
    server_.emplace(ServerOf<T>::create(holder(), "s").or_throw());
    say_joined();
  }
  void operation() override {
    auto call = server_->receive(never).or_throw();
    must_be(*call.request(), 1);
    call.send(numbered<T>(1), never).or_throw();
    std::move(call).respond(numbered<T>(2)).or_throw();
  }

 private:
  std::optional<ServerOf<T>> server_;
};

/// The victim comes to a service, or leaves it; the bystander is both of its ends.
class ComeToServe : public TopicTrial {
 public:
  explicit ComeToServe(bool serves) : serves_(serves) {
    start_bystander([this] {
      auto server = ServerOf<Short>::create(holder(), "s").or_throw();
      auto client = ClientOf<Short>::create(holder(), "s", few).or_throw();
      ready_and_wait();
      for (std::uint64_t i = 1; i <= 10;) {
        auto pending = client.begin(numbered<Short>(i), never).or_throw();
        auto part = pending.try_receive();
        for (; part.failed_with(Errc::would_block); part = pending.try_receive()) {
          if (auto call = server.try_receive()) {
            answer<Short>(std::move(*call));
          }
        }
        // Of one that died before it answered, or left: another is asked.
        must(part.has_value() || part.failed_with(Errc::peer_died) || part.failed_with(Errc::closed),
             "a call ended otherwise than by a server's end");
        i += part.has_value() ? 1 : 0;
      }
    });
  }
  void operation() override {
    if (serves_) {
      server_.emplace(ServerOf<Short>::create(holder(), "s").or_throw());
    } else {
      client_.emplace(ClientOf<Short>::create(holder(), "s", few).or_throw());
    }
  }
  bool changes_without_calls() const override { return false; }

 protected:
  bool serves_;
  std::optional<ServerOf<Short>> server_;
  std::optional<ClientOf<Short>> client_;
};

class LeaveAService : public ComeToServe {
 public:
  using ComeToServe::ComeToServe;
  void before() override {
    ComeToServe::before();
    ComeToServe::operation();
  }
  void operation() override {
    if (serves_) {
      std::move(*server_).close().or_throw();
    } else {
      std::move(*client_).close().or_throw();
    }
  }
};

/// The control: a call is said to have ended before its answer's words are there.
class EndedFirst : public kit::KillTrial {
 public:
  void operation() override {
    memory_->ended.store(1);
    for (std::size_t i = 0; i < memory_->words.size(); ++i) {
      memory_->words[i].store(i + 1);
    }
  }
  void survive() override {
    if (memory_->ended.load() == 1) {
      for (std::size_t i = 0; i < memory_->words.size(); ++i) {
        must(memory_->words[i].load() == i + 1, "an answer is torn");
      }
    }
  }
  std::uint64_t state() override { return kit::hash_of(memory_.bytes()); }

 private:
  struct Memory {
    std::atomic<std::uint64_t> ended;
    std::array<std::atomic<std::uint64_t>, 4> words;
  };
  kit::Shared<Memory> memory_;
};

}  // namespace

kit::KillCase service_call_short() {
  return {.name = "service: call, in an entry", .make = [] { return std::make_unique<CallAServer<Short>>(); }};
}
kit::KillCase service_call_long() {
  return {.name = "service: call, in a chunk", .make = [] { return std::make_unique<CallAServer<Long>>(); }};
}
kit::KillCase service_answer_short() {
  return {.name = "service: answer, in an entry", .make = [] { return std::make_unique<Answer<Short>>(); }};
}
kit::KillCase service_answer_long() {
  return {.name = "service: answer, in a chunk", .make = [] { return std::make_unique<Answer<Long>>(); }};
}
kit::KillCase service_create_server() {
  return {.name = "service: create a server", .make = [] { return std::make_unique<ComeToServe>(true); }};
}
kit::KillCase service_create_client() {
  return {.name = "service: create a client", .make = [] { return std::make_unique<ComeToServe>(false); }};
}
kit::KillCase service_close_server() {
  return {.name = "service: close a server", .make = [] { return std::make_unique<LeaveAService>(true); }};
}
kit::KillCase service_close_client() {
  return {.name = "service: close a client", .make = [] { return std::make_unique<LeaveAService>(false); }};
}
kit::KillCase service_ended_first() {
  return {.name = "service: a call ended before its answer is written",
          .make = [] { return std::make_unique<EndedFirst>(); },
          .control = true};
}

}  // namespace kill_cases
