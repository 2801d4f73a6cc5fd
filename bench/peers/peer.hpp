#pragma once
/// What others have, doing the same work as a topic: the sender writes the payload, the receiver reads and checks all
/// of it. Each is one file here, through the path that its own documentation recommends for speed.
#include <limits/limit.hpp>
#include <limits/ring_subjects.hpp>
#include <limits/trip_subjects.hpp>
#include <topic/start_domain.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace peers {

enum class Wait : unsigned char {
  polling,   ///< asks again and again
  blocking,  ///< sleeps in the call that waits
};

struct Cell {
  std::size_t bytes = 8;
  Wait wait = Wait::polling;
  limits::Kind kind = limits::Kind::round_trip;
};

struct Peer {
  std::string name;
  /// Not empty: it was not there when the benchmark was configured, and what installs it.
  std::string missing = {};
  std::function<harness::Subject(const Cell&)> subject = {};
  /// Starts what it needs beside the two processes, a daemon; it ends with what is returned.
  std::function<std::shared_ptr<void>()> start = {};
};

Peer boost_queue();
Peer cyclone_dds();
Peer dbus();
Peer iceoryx();
Peer nats();
Peer nng();
Peer tcp();
Peer zeromq();
/// All of them; those that are missing say so.
std::vector<Peer> all_peers();

/// The ends of a cell as its subject. Those that block fall asleep first, as the limits asleep do.
template <class MakeSender, class MakeReceiver>
harness::Subject subject_of(const std::string& name, const Cell& cell, std::uint64_t lap, MakeSender make_sender,
                            MakeReceiver make_receiver) {
  const limits::RingSides sides{topics::start_bytes, lap, topics::new_domain, make_sender, make_receiver};
  if (cell.kind == limits::Kind::one_way) {
    return limits::one_way(name, sides);
  }
  return cell.wait == Wait::polling ? limits::there_and_back(name, sides)
                                    : limits::there_and_back_asleep(name, sides, limits::Where::across_cores);
}

/// The same for what has one connection for both directions, or calls and answers: ends that tell and await, and those
/// that send and receive one way.
template <class MakeAsker, class MakeAnswerer, class MakeSender, class MakeReceiver>
harness::Subject trip_or_one_way(const std::string& name, const Cell& cell, MakeAsker make_asker,
                                 MakeAnswerer make_answerer, MakeSender make_sender, MakeReceiver make_receiver) {
  if (cell.kind == limits::Kind::one_way) {
    return limits::one_way(name,
                           limits::RingSides{topics::start_bytes, 1, topics::new_domain, make_sender, make_receiver});
  }
  const limits::TripSides sides{topics::start_bytes, topics::new_domain, make_asker, make_answerer};
  return cell.wait == Wait::polling ? limits::trip(name, sides)
                                    : limits::trip_asleep(name, sides, limits::Where::across_cores);
}

/// How many messages a queue should hold: 1,024, or as many as 4 MiB hold, and four at least.
constexpr std::size_t queue_length(std::size_t bytes) {
  constexpr std::size_t memory = std::size_t{4} << 20;
  return bytes * 1024 <= memory ? 1024 : bytes * 4 >= memory ? 4 : memory / bytes;
}

/// The end of a benchmark whose peer failed.
[[noreturn]] void fail(const char* call, const std::string& why);

}  // namespace peers
