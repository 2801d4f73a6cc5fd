// D-Bus: libdbus-1 through a dbus-daemon of its own, which is started for the run and listens on a socket in the run's
// directory. There and back is a method call and its reply, one way are signals, which a match at the daemon lets
// through. Polling looks at the socket again and again, and lets the daemon run; blocking sleeps in poll(2).
#include <harness/payload.hpp>
#include <limits/trip_subjects.hpp>
#include <peers/daemon.hpp>
#include <peers/peer.hpp>

#include <dbus/dbus.h>
#include <filesystem>
#include <fstream>
#include <sched.h>

namespace peers {

namespace {

using tenon::MutableBytes;

constexpr const char* interface = "tenon.Bench";

void check(bool done, const char* call, const DBusError* error = nullptr) {
  if (!done) {
    fail(call, error != nullptr && error->message != nullptr ? error->message : "it failed");
  }
}

std::string address() { return "unix:path=" + topics::path_of_run() + "/bus"; }

// What a sender has under way is bounded, and that is less than what a receiver may have in store: so the daemon stops
// reading from who is too fast, and drops nothing.
void write_config(const std::string& path) {
  std::ofstream(path) << "<busconfig><type>session</type><listen>" << address() << "</listen><auth>EXTERNAL</auth>"
                      << "<policy context=\"default\"><allow send_destination=\"*\"/><allow own=\"*\"/>"
                      << "<allow receive_sender=\"*\"/></policy>"
                      << "<limit name=\"max_incoming_bytes\">4194304</limit>"
                      << "<limit name=\"max_outgoing_bytes\">268435456</limit>"
                      << "<limit name=\"max_message_size\">33554432</limit></busconfig>\n";
}

std::shared_ptr<void> start_bus() {
  const std::string config = topics::path_of_run() + "/bus.conf";
  write_config(config);
  auto bus = Daemon::start({"dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", "--config-file=" + config});
  bus->await(topics::path_of_run() + "/bus");
  return bus;
}

struct Message {
  DBusMessage* raw;
  explicit Message(DBusMessage* message) : raw(message) { check(raw != nullptr, "dbus_message_new"); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { ::dbus_message_unref(raw); }
};

// Never closed: a side is killed.
class Client {
 public:
  Client(MutableBytes shared, const Cell& cell) : cell_(cell), words_(cell.bytes / 8) {
    const std::string start = std::filesystem::path(topics::path_of_start(shared)).filename().string();
    path_ = "/s" + start;
    name_ = "tenon.bench.s" + start;
    DBusError error = DBUS_ERROR_INIT;
    bus_ = ::dbus_connection_open_private(address().c_str(), &error);
    check(bus_ != nullptr, "dbus_connection_open_private", &error);
    check(::dbus_bus_register(bus_, &error) != FALSE, "dbus_bus_register", &error);
  }

  void be_called() {
    DBusError error = DBUS_ERROR_INIT;
    check(::dbus_bus_request_name(bus_, name_.c_str(), DBUS_NAME_FLAG_DO_NOT_QUEUE, &error) ==
              DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER,
          "dbus_bus_request_name", &error);
  }
  void listen() {
    DBusError error = DBUS_ERROR_INIT;
    const std::string rule = std::string("type='signal',interface='") + interface + "',path='" + path_ + "'";
    ::dbus_bus_add_match(bus_, rule.c_str(), &error);
    check(::dbus_error_is_set(&error) == FALSE, "dbus_bus_add_match", &error);
  }

  void call() {
    const Message message(::dbus_message_new_method_call(name_.c_str(), path_.c_str(), interface, "Trip"));
    send(message.raw);
  }
  void reply() {
    const Message message(::dbus_message_new_method_return(asked_));
    ::dbus_message_unref(asked_);
    send(message.raw);
  }
  void emit() {
    const Message message(::dbus_message_new_signal(path_.c_str(), interface, "Said"));
    send(message.raw);
  }
  void await_call() { asked_ = receive(DBUS_MESSAGE_TYPE_METHOD_CALL); }
  void await(int type) { ::dbus_message_unref(receive(type)); }

 private:
  void send(DBusMessage* message) {
    harness::write_payload(std::as_writable_bytes(std::span(words_)), sent_++);
    const std::uint64_t* const words = words_.data();
    check(::dbus_message_append_args(message, DBUS_TYPE_ARRAY, DBUS_TYPE_UINT64, &words,
                                     static_cast<int>(words_.size()), DBUS_TYPE_INVALID) != FALSE,
          "dbus_message_append_args");
    check(::dbus_connection_send(bus_, message, nullptr) != FALSE, "dbus_connection_send");
    ::dbus_connection_flush(bus_);
  }

  // The next message of this type, checked. What else the bus says is dropped, but for an error.
  DBusMessage* receive(int type) {
    while (true) {
      DBusMessage* const message = ::dbus_connection_pop_message(bus_);
      if (message == nullptr) {
        wait();
      } else if (::dbus_message_get_type(message) == type &&
                 ::dbus_message_has_interface(message, DBUS_INTERFACE_DBUS) == FALSE) {
        check_words(message);
        return message;
      } else {
        check(::dbus_message_get_type(message) != DBUS_MESSAGE_TYPE_ERROR, ::dbus_message_get_error_name(message));
        ::dbus_message_unref(message);
      }
    }
  }

  void wait() {
    check(::dbus_connection_read_write(bus_, cell_.wait == Wait::polling ? 0 : -1) != FALSE,
          "dbus_connection_read_write");
    if (cell_.wait == Wait::polling) {
      ::sched_yield();
    }
  }

  // They lie in the message, aligned.
  void check_words(DBusMessage* message) {
    DBusError error = DBUS_ERROR_INIT;
    const std::uint64_t* words = nullptr;
    int count = 0;
    check(::dbus_message_get_args(message, &error, DBUS_TYPE_ARRAY, DBUS_TYPE_UINT64, &words, &count,
                                  DBUS_TYPE_INVALID) != FALSE,
          "dbus_message_get_args", &error);
    if (static_cast<std::size_t>(count) != words_.size()) {
      harness::payload_differs(received_);
    }
    harness::check_payload(std::as_bytes(std::span(words, words_.size())), received_++);
  }

  Cell cell_;
  std::vector<std::uint64_t> words_;
  std::string path_;
  std::string name_;
  DBusConnection* bus_ = nullptr;
  DBusMessage* asked_ = nullptr;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
};

struct Asker {
  std::shared_ptr<Client> client;
  void tell() { client->call(); }
  void await() { client->await(DBUS_MESSAGE_TYPE_METHOD_RETURN); }
};
struct Answerer {
  std::shared_ptr<Client> client;
  void tell() { client->reply(); }
  void await() { client->await_call(); }
};
struct Sender {
  std::shared_ptr<Client> client;
  void step() { client->emit(); }
};
struct Receiver {
  std::shared_ptr<Client> client;
  void step() { client->await(DBUS_MESSAGE_TYPE_SIGNAL); }
};

}  // namespace

Peer dbus() {
  return {.name = "D-Bus",
          .subject =
              [](const Cell& cell) {
                const auto client = [=](MutableBytes shared) { return std::make_shared<Client>(shared, cell); };
                return trip_or_one_way(
                    "D-Bus", cell, [=](MutableBytes shared) { return Asker{client(shared)}; },
                    [=](MutableBytes shared) {
                      auto own = client(shared);
                      own->be_called();
                      return Answerer{own};
                    },
                    [=](MutableBytes shared) { return Sender{client(shared)}; },
                    [=](MutableBytes shared) {
                      auto own = client(shared);
                      own->listen();
                      return Receiver{own};
                    });
              },
          .start = start_bus};
}

}  // namespace peers
