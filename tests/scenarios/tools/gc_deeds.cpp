#include "gc_deeds.hpp"
#include "gc_members.hpp"

#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/unix_address.hpp>

#include <array>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tools {

namespace {

using namespace tenon;
using namespace std::chrono_literals;

struct Actor {
  const Playground& playground;
  const Holder& holder;
  std::mt19937& random;

  std::string name(const char* stem) const { return stem + std::to_string(random() % 3); }
};

// Short, so that who is not killed goes on to the next deed.
Deadline a_moment() { return after(2ms); }

// For so long it is there to be left behind.
void keep_it(const Actor& actor) { ::usleep(static_cast<useconds_t>(actor.random() % 2000)); }

void use_memory(const Actor& actor) {
  const int id = ::shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600);
  void* const memory = ::shmat(id, nullptr, 0);
  *static_cast<volatile char*>(memory) = 1;
  keep_it(actor);
  ::shmdt(memory);
  ::shmctl(id, IPC_RMID, nullptr);
}

void use_queue_of_kernel(const Actor& actor) {
  struct {
    long type = 1;
    char text = 'x';
  } message;
  const int id = ::msgget(IPC_PRIVATE, IPC_CREAT | 0600);
  ::msgsnd(id, &message, 1, 0);
  ::msgrcv(id, &message, 1, 0, 0);
  keep_it(actor);
  ::msgctl(id, IPC_RMID, nullptr);
}

void use_set(const Actor& actor) {
  const int id = ::semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
  std::array<sembuf, 2> rise = {sembuf{.sem_num = 0, .sem_op = 1, .sem_flg = 0},
                                sembuf{.sem_num = 1, .sem_op = 1, .sem_flg = 0}};
  ::semop(id, rise.data(), rise.size());
  keep_it(actor);
  ::semctl(id, 0, IPC_RMID);
}

void listen_at_socket(const Actor& actor) {
  const std::string path = actor.playground.directory + "/" + std::to_string(::getpid());
  const auto address = UnixAddress::path(path).or_throw();
  const Fd socket = fd_from(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket").or_throw();
  if (::bind(socket.raw(), address.raw(), address.length()) == 0) {
    ::listen(socket.raw(), 1);
    keep_it(actor);
    ::unlink(path.c_str());
  }
}

void take_part_in_topic(const Actor& actor) {
  const std::string topic = actor.name("topic");
  auto publisher = Publisher<Word>::create(actor.holder, topic);
  auto subscriber = Subscriber<Word>::create(actor.holder, topic);
  if (publisher && subscriber) {
    (void)publisher->try_publish({.number = 1});
    (void)subscriber->receive(a_moment());
  }
}

void serve_and_call(const Actor& actor) {
  const std::string service = actor.name("service");
  auto server = Server<Word, Word>::create(actor.holder, service);
  auto client = Client<Word, Word>::create(actor.holder, service);
  if (server && client) {
    (void)client->call(Word{.number = 1}, a_moment());
    if (auto call = server->receive(a_moment())) {
      (void)std::move(*call).respond({.number = 2});
    }
  }
}

void join_stream(const Actor& actor) {
  const std::string stream = actor.name("stream");
  if (actor.random() % 2 == 0) {
    if (auto writer = StreamWriter::open(actor.holder, stream, a_moment())) {
      (void)writer->write(bytes_of("some bytes"), a_moment());
    }
    return;
  }
  if (auto reader = StreamReader::open(actor.holder, stream, a_moment())) {
    std::array<std::byte, 16> bytes{};
    (void)reader->read(bytes, a_moment());
  }
}

void use_queue(const Actor& actor) {
  if (auto queue = Queue<Word>::open_or_create(actor.holder, actor.name("queue"))) {
    (void)queue->try_send({.number = 1});
    (void)queue->receive(a_moment());
  }
}

void use_channel(const Actor& actor) {
  constexpr std::array uris = {"shm:gc", "mq:/gc", "sysv-shm:77", "sysvq:78"};
  const char* const uri = uris.at(actor.random() % uris.size());
  if (actor.random() % 2 == 0) {
    (void)open_sender(uri, actor.playground.domain, a_moment());
  } else {
    (void)open_receiver(uri, actor.playground.domain, a_moment());
  }
}

constexpr std::array deeds = {use_memory,     use_queue_of_kernel, use_set,   listen_at_socket, take_part_in_topic,
                              serve_and_call, join_stream,         use_queue, use_channel};

}  // namespace

void make_and_use(const Playground& playground, std::mt19937::result_type seed) {
  std::mt19937 random(seed);
  while (true) {
    const auto life = Life::join(*playground.domain);
    const auto holder = life ? Holder::of(*playground.domain, *life) : Result<Holder>(fail(Errc::not_found));
    for (int turn = 0; holder && turn < 20; ++turn) {
      deeds.at(random() % deeds.size())({.playground = playground, .holder = *holder, .random = random});
    }
  }
}

}  // namespace tools
