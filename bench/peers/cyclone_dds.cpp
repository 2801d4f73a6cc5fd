// Cyclone DDS through iceoryx's memory, as Debian builds it: a sample is lent by the writer, written where it lies, and
// read where it lies; discovery goes over UDP on the loopback interface. Each start has a DDS domain of its own.
// Polling is dds_take() and lets the library's threads run; blocking is a waitset.
//
// Its shared memory keeps the last samples and overwrites older ones, so one way a sender waits in a word that both
// share while the reader is half a history behind.
//
//   S1  store-release of how many were read (the reader) → load-acquire (the sender): what is lent anew was given back.
#include <harness/payload.hpp>
#include <peers/peer.hpp>
#include <peers/roudi.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <dds/dds.h>
#include <dds/ddsc/dds_loan_api.h>
#include <sched.h>

namespace peers {

namespace {

using tenon::MutableBytes;

// How many samples it keeps.
std::int32_t history_of(std::size_t bytes) {
  return static_cast<std::int32_t>(std::min<std::size_t>(queue_length(bytes), 128));
}

// The entity, or what else the call returned.
dds_entity_t check(dds_return_t returned, const char* call) {
  if (returned < 0) {
    fail(call, ::dds_strretcode(returned));
  }
  return returned;
}

// Loopback alone, where nothing is multicast; the other participant is found by asking the first ports.
constexpr const char* config = R"(<CycloneDDS><Domain id="any">
  <General><Interfaces><NetworkInterface name="lo"/></Interfaces><AllowMulticast>false</AllowMulticast></General>
  <Discovery><ParticipantIndex>auto</ParticipantIndex><Peers><Peer address="127.0.0.1"/></Peers></Discovery>
  <SharedMemory><Enable>true</Enable><LogLevel>error</LogLevel></SharedMemory>
</Domain></CycloneDDS>)";

// A type of so many words, as its compiler of descriptions would write it. Of a side's process, which has one size.
const dds_topic_descriptor_t& type_of(std::size_t bytes) {
  static const std::array<std::uint32_t, 4> operations = {static_cast<std::uint32_t>(DDS_OP_ADR) |
                                                              static_cast<std::uint32_t>(DDS_OP_TYPE_ARR) |
                                                              static_cast<std::uint32_t>(DDS_OP_SUBTYPE_8BY),
                                                          0, static_cast<std::uint32_t>(bytes / 8), DDS_OP_RTS};
  static const dds_topic_descriptor_t type = {.m_size = static_cast<std::uint32_t>(bytes),
                                              .m_align = alignof(std::uint64_t),
                                              .m_flagset = DDS_TOPIC_FIXED_SIZE,
                                              .m_nkeys = 0,
                                              .m_typename = "tenon::bench::Words",
                                              .m_keys = nullptr,
                                              .m_nops = 2,
                                              .m_ops = operations.data(),
                                              .m_meta = "",
                                              .type_information = {},
                                              .type_mapping = {},
                                              .restrict_data_representation = 0};
  return type;
}

std::uint32_t number_of_start(MutableBytes shared) {
  std::uint64_t start = 0;
  std::memcpy(&start, shared.data(), sizeof start);
  return static_cast<std::uint32_t>(start);
}

// Behind the start's number.
std::atomic_ref<std::uint64_t> samples_read(MutableBytes shared) {
  return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(shared.data() + sizeof(std::uint64_t)));
}

// Of the port numbers above 7,400 a domain takes 250, so there are as many domains as fit.
constexpr std::uint32_t domains = 200;

// Never deleted: a side is killed.
class Participant {
 public:
  Participant(MutableBytes shared, const Cell& cell) : cell_(cell) {
    const std::uint32_t domain = number_of_start(shared) % domains;
    check(::dds_create_domain(domain, config), "dds_create_domain");
    self_ = check(::dds_create_participant(domain, nullptr, nullptr), "dds_create_participant");
    quality_ = ::dds_create_qos();
    ::dds_qset_reliability(quality_, DDS_RELIABILITY_RELIABLE, DDS_SECS(10));
    ::dds_qset_durability(quality_, DDS_DURABILITY_VOLATILE);
    ::dds_qset_history(quality_, DDS_HISTORY_KEEP_LAST, history_of(cell.bytes));
  }

  void make_writer(const char* topic) {
    writer_ = check(::dds_create_writer(self_, make_topic(topic), quality_, nullptr), "dds_create_writer");
    if (!::dds_is_loan_available(writer_)) {
      fail("dds_is_loan_available", "this Cyclone DDS does not go through shared memory");
    }
  }
  void make_reader(const char* topic) {
    reader_ = check(::dds_create_reader(self_, make_topic(topic), quality_, nullptr), "dds_create_reader");
    waitset_ = check(::dds_create_waitset(self_), "dds_create_waitset");
    const dds_entity_t any = check(::dds_create_readcondition(reader_, DDS_ANY_STATE), "dds_create_readcondition");
    check(::dds_waitset_attach(waitset_, any, 0), "dds_waitset_attach");
  }
  // Until the other side has found this one.
  void await_reader() {
    dds_publication_matched_status_t matched{};
    while (matched.current_count == 0) {
      check(::dds_get_publication_matched_status(writer_, &matched), "dds_get_publication_matched_status");
      ::sched_yield();
    }
  }
  void await_writer() {
    dds_subscription_matched_status_t matched{};
    while (matched.current_count == 0) {
      check(::dds_get_subscription_matched_status(reader_, &matched), "dds_get_subscription_matched_status");
      ::sched_yield();
    }
  }

  void write() {
    void* sample = nullptr;
    check(::dds_loan_sample(writer_, &sample), "dds_loan_sample");
    harness::write_payload({static_cast<std::byte*>(sample), cell_.bytes}, written_++);
    check(::dds_write(writer_, sample), "dds_write");
  }
  // Whether the other side, which has read so many, is half a history behind.
  bool is_ahead_of(std::uint64_t read) const {
    return written_ - read >= static_cast<std::uint64_t>(history_of(cell_.bytes)) / 2;
  }

  void read() {
    while (!take()) {
      if (cell_.wait == Wait::polling) {
        ::sched_yield();
      } else {
        check(::dds_waitset_wait(waitset_, nullptr, 0, DDS_SECS(20)), "dds_waitset_wait");
      }
    }
  }
  std::uint64_t number_read() const { return read_; }

 private:
  dds_entity_t make_topic(const char* name) {
    return check(::dds_create_topic(self_, &type_of(cell_.bytes), name, nullptr, nullptr), "dds_create_topic");
  }
  bool take() {
    void* sample = nullptr;
    dds_sample_info_t told{};
    if (check(::dds_take(reader_, &sample, &told, 1, 1), "dds_take") == 0) {
      return false;
    }
    if (told.valid_data) {
      harness::check_payload({static_cast<const std::byte*>(sample), cell_.bytes}, read_++);
    }
    check(::dds_return_loan(reader_, &sample, 1), "dds_return_loan");
    return told.valid_data;
  }

  Cell cell_;
  dds_qos_t* quality_ = nullptr;
  dds_entity_t self_ = 0;
  dds_entity_t writer_ = 0;
  dds_entity_t reader_ = 0;
  dds_entity_t waitset_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t read_ = 0;
};

struct Signal {
  std::shared_ptr<Participant> self;
  void tell() { self->write(); }
  void await() { self->read(); }
};

struct Sender {
  std::shared_ptr<Participant> self;
  MutableBytes shared;
  void step() {
    while (self->is_ahead_of(samples_read(shared).load(std::memory_order_acquire))) {  // S1
      ::sched_yield();
    }
    self->write();
  }
};
struct Receiver {
  std::shared_ptr<Participant> self;
  MutableBytes shared;
  void step() {
    self->read();
    samples_read(shared).store(self->number_read(), std::memory_order_release);  // S1
  }
};

auto both_ways(const Cell& cell, const char* out, const char* in) {
  return [=](MutableBytes shared) {
    auto self = std::make_shared<Participant>(shared, cell);
    self->make_writer(out);
    self->make_reader(in);
    self->await_reader();
    self->await_writer();
    return Signal{self};
  };
}

}  // namespace

Peer cyclone_dds() {
  return {.name = "Cyclone DDS",
          .subject =
              [](const Cell& cell) {
                return trip_or_one_way(
                    "Cyclone DDS", cell, both_ways(cell, "there", "back"), both_ways(cell, "back", "there"),
                    [=](MutableBytes shared) {
                      auto self = std::make_shared<Participant>(shared, cell);
                      self->make_writer("there");
                      self->await_reader();
                      return Sender{self, shared};
                    },
                    [=](MutableBytes shared) {
                      auto self = std::make_shared<Participant>(shared, cell);
                      self->make_reader("there");
                      self->await_writer();
                      return Receiver{self, shared};
                    });
              },
          .start = roudi};
}

}  // namespace peers
