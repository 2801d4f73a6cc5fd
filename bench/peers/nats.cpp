// NATS: two clients of a server that is started for the run on a port of 127.0.0.1 that it chooses itself. There
// and back what is published goes out at once (natsOptions_SetSendAsap), one way the library gathers it; what comes in
// waits in a synchronous subscription. Polling asks it with no time to wait, and lets the library's thread and the
// server run; blocking sleeps in it.
#include <harness/payload.hpp>
#include <limits/trip_subjects.hpp>
#include <peers/daemon.hpp>
#include <peers/peer.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nats/nats.h>
#include <nlohmann/json.hpp>
#include <sched.h>

namespace peers {

namespace {

using tenon::MutableBytes;

constexpr std::int64_t patience = 20'000;  // milliseconds

void check(natsStatus status, const char* call) {
  if (status != NATS_OK) {
    fail(call, ::natsStatus_GetText(status));
  }
}

std::string ports_file() { return topics::path_of_run() + "/nats.ports"; }

std::string url() {
  std::ifstream file(ports_file());
  return nlohmann::json::parse(file).at("nats").at(0).get<std::string>();
}

// The server keeps whole messages for who does not read as fast as they come; a block of them must fit.
std::shared_ptr<void> start_server() {
  const std::string config = topics::path_of_run() + "/nats.conf";
  std::ofstream(config) << "host: 127.0.0.1\nport: -1\nmax_payload: 4194304\nmax_pending: 268435456\n";
  auto server = Daemon::start({"nats-server", "-c", config, "--ports_file_dir", topics::path_of_run()});
  const std::string told = topics::path_of_run() + "/nats-server_" + std::to_string(server->pid()) + ".ports";
  server->await(told);
  std::filesystem::rename(told, ports_file());
  return server;
}

// Never destroyed: a side is killed.
struct Client {
  natsConnection* connection = nullptr;
  natsSubscription* subscription = nullptr;
  std::string sends_to;
  Cell cell;
  std::vector<std::uint64_t> message;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;

  void send() {
    harness::write_payload(std::as_writable_bytes(std::span(message)), sent++);
    check(::natsConnection_Publish(connection, sends_to.c_str(), message.data(), static_cast<int>(cell.bytes)),
          "natsConnection_Publish");
  }
  void receive() {
    natsMsg* got = nullptr;
    natsStatus status = NATS_TIMEOUT;
    while ((status = ::natsSubscription_NextMsg(&got, subscription, cell.wait == Wait::polling ? 0 : patience)) ==
           NATS_TIMEOUT) {
      ::sched_yield();
    }
    check(status, "natsSubscription_NextMsg");
    // What was received lies behind its headline, wherever that ends.
    std::memcpy(message.data(), ::natsMsg_GetData(got), cell.bytes);
    if (::natsMsg_GetDataLength(got) != static_cast<int>(cell.bytes)) {
      harness::payload_differs(received);
    }
    harness::check_payload(std::as_bytes(std::span(message)), received++);
    ::natsMsg_Destroy(got);
  }
};

std::shared_ptr<Client> connected(const Cell& cell) {
  auto client = std::make_shared<Client>();
  client->cell = cell;
  client->message.resize(cell.bytes / 8);
  natsOptions* options = nullptr;
  check(::natsOptions_Create(&options), "natsOptions_Create");
  check(::natsOptions_SetURL(options, url().c_str()), "natsOptions_SetURL");
  check(::natsOptions_SetSendAsap(options, cell.kind == limits::Kind::round_trip), "natsOptions_SetSendAsap");
  check(::natsConnection_Connect(&client->connection, options), "natsConnection_Connect");
  ::natsOptions_Destroy(options);
  return client;
}

// The server knows of it when this returns.
void subscribe(Client& client, const std::string& subject) {
  check(::natsConnection_SubscribeSync(&client.subscription, client.connection, subject.c_str()),
        "natsConnection_SubscribeSync");
  check(::natsSubscription_SetPendingLimits(client.subscription, -1, -1), "natsSubscription_SetPendingLimits");
  check(::natsConnection_FlushTimeout(client.connection, patience), "natsConnection_FlushTimeout");
}

std::string subject_of_start(MutableBytes shared, const char* direction) {
  return std::filesystem::path(topics::path_of_start(shared)).filename().string() + "." + direction;
}

struct Signal {
  std::shared_ptr<Client> client;
  void tell() { client->send(); }
  void await() { client->receive(); }
};
struct Sender {
  std::shared_ptr<Client> client;
  void step() { client->send(); }
  // What was gathered goes out now, not when the library's thread looks at it the next time.
  void finish() { check(::natsConnection_FlushTimeout(client->connection, patience), "natsConnection_FlushTimeout"); }
};
struct Receiver {
  std::shared_ptr<Client> client;
  void step() { client->receive(); }
};

auto both_ways(const Cell& cell, const char* out, const char* in) {
  return [=](MutableBytes shared) {
    auto client = connected(cell);
    client->sends_to = subject_of_start(shared, out);
    subscribe(*client, subject_of_start(shared, in));
    return Signal{client};
  };
}

}  // namespace

Peer nats() {
  return {.name = "NATS",
          .subject =
              [](const Cell& cell) {
                return trip_or_one_way(
                    "NATS", cell, both_ways(cell, "there", "back"), both_ways(cell, "back", "there"),
                    [=](MutableBytes shared) {
                      auto client = connected(cell);
                      client->sends_to = subject_of_start(shared, "there");
                      return Sender{client};
                    },
                    [=](MutableBytes shared) {
                      auto client = connected(cell);
                      subscribe(*client, subject_of_start(shared, "there"));
                      return Receiver{client};
                    });
              },
          .start = start_server};
}

}  // namespace peers
