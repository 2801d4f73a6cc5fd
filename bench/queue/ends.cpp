#include <queue/ends.hpp>

#include <harness/spin.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <filesystem>
#include <mqueue.h>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>
#ifdef TENON_BESIDE_BOOST
#include <boost/interprocess/ipc/message_queue.hpp>
#endif

namespace queues {

namespace {

using tenon::Bytes;
using tenon::MutableBytes;

// Of the start: "tenon-topic-bench-1234-5".
std::string name_of(MutableBytes shared) {
  const std::filesystem::path path = topics::path_of_start(shared);
  return path.parent_path().filename().string() + "-" + path.filename().string();
}

// What the kernel's and Boost's queues of a start are called, until it is over.
class NamesOfRun {
 public:
  ~NamesOfRun() { keep(0); }
  void add(const std::string& name) {
    keep(alive_at_once);
    names_.push_back(name);
  }

 private:
  static constexpr std::size_t alive_at_once = 8;  // a pair of teams, each of which has two queues at most

  void keep(std::size_t most) {
    for (; ::getpid() == maker_ && names_.size() > most; names_.pop_front()) {
      ::mq_unlink(("/" + names_.front()).c_str());
      ::shm_unlink(("/" + names_.front()).c_str());  // Boost's
    }
  }
  pid_t maker_ = ::getpid();
  std::deque<std::string> names_;
};

template <std::size_t Count>
struct Words {
  static constexpr std::string_view type_name = "bench.Words";
  std::array<std::uint64_t, Count> words;
};

tenon::Waiting waiting_of(Wait wait) {
  return wait == Wait::polling    ? tenon::Waiting::spin
         : wait == Wait::sleeping ? tenon::Waiting::sleep
                                  : tenon::Waiting::adaptive;
}

template <class Message>
std::shared_ptr<tenon::Queue<Message>> open_queue(const topics::Member& self, const Traffic& traffic) {
  const tenon::QueueOptions options{.messages = queue_length, .bytes = queue_length * traffic.bytes};
  auto opened = tenon::Queue<Message>::open_or_create(self.holder(), "q", options).or_throw();
  opened.wait_by(waiting_of(traffic.wait));
  return std::make_shared<tenon::Queue<Message>>(std::move(opened));
}

End end_of_bytes(const Traffic& traffic, MutableBytes shared) {
  auto self = std::make_shared<topics::Member>(shared);
  auto queue = open_queue<Bytes>(*self, traffic);
  return {.send = [self, queue](Bytes message) { queue->send(message, tenon::never).or_throw(); },
          .receive = [self, queue](MutableBytes into) { queue->receive(into, tenon::never).or_throw(); }};
}

template <class Message>
End typed_end(const Traffic& traffic, MutableBytes shared) {
  auto self = std::make_shared<topics::Member>(shared);
  auto queue = open_queue<Message>(*self, traffic);
  return {.send =
              [self, queue](Bytes message) {
                Message value;
                std::memcpy(&value, message.data(), sizeof value);
                queue->send(value, tenon::never).or_throw();
              },
          .receive =
              [self, queue](MutableBytes into) {
                const auto got = queue->receive(tenon::never);
                std::memcpy(into.data(), &got->value, sizeof(Message));
              }};
}

[[noreturn]] void fail(const char* call) { throw tenon::Failure(tenon::os_failure(call, errno)); }

}  // namespace

void new_start(MutableBytes shared) {
  static NamesOfRun names;
  topics::new_domain(shared);
  names.add(name_of(shared));
}

OpenEnd tenon_end(const Traffic& traffic) {
  return [=](MutableBytes shared) {
    return traffic.bytes == sizeof(Words<8>) ? typed_end<Words<8>>(traffic, shared) : end_of_bytes(traffic, shared);
  };
}

OpenEnd kernel_end(const Traffic& traffic) {
  return [=](MutableBytes shared) -> End {
    const bool polls = traffic.wait == Wait::polling;
    mq_attr limits{};
    limits.mq_maxmsg = 10;
    limits.mq_msgsize = static_cast<long>(traffic.bytes);
    const std::string name = "/" + name_of(shared);
    const mqd_t raw = ::mq_open(name.c_str(), O_CREAT | O_RDWR | (polls ? O_NONBLOCK : 0), 0600, &limits);
    if (raw == -1) {
      fail("mq_open");
    }
    return {.send =
                [=](Bytes message) {
                  harness::spin_until([&] {
                    const int sent = ::mq_send(raw, reinterpret_cast<const char*>(message.data()), message.size(), 0);
                    return sent == 0 || (errno != EAGAIN && (fail("mq_send"), true));
                  });
                },
            .receive =
                [=](MutableBytes into) {
                  harness::spin_until([&] {
                    const auto got = ::mq_receive(raw, reinterpret_cast<char*>(into.data()), into.size(), nullptr);
                    return got >= 0 || (errno != EAGAIN && (fail("mq_receive"), true));
                  });
                }};
  };
}

#ifdef TENON_BESIDE_BOOST
OpenEnd boost_end(const Traffic& traffic) {
  namespace bip = boost::interprocess;
  return [=](MutableBytes shared) -> End {
    const std::string name = name_of(shared);
    const auto queue =
        std::make_shared<bip::message_queue>(bip::open_or_create, name.c_str(), queue_length, traffic.bytes);
    const bool polls = traffic.wait == Wait::polling;
    return {.send =
                [=](Bytes message) {
                  if (polls) {
                    harness::spin_until([&] { return queue->try_send(message.data(), message.size(), 0); });
                  } else {
                    queue->send(message.data(), message.size(), 0);
                  }
                },
            .receive =
                [=](MutableBytes into) {
                  bip::message_queue::size_type size = 0;
                  unsigned priority = 0;
                  if (polls) {
                    harness::spin_until([&] { return queue->try_receive(into.data(), into.size(), size, priority); });
                  } else {
                    queue->receive(into.data(), into.size(), size, priority);
                  }
                }};
  };
}
#else
OpenEnd boost_end(const Traffic&) {
  return [](MutableBytes) -> End { throw std::logic_error("built without Boost"); };
}
#endif

}  // namespace queues
