#pragma once
/// The wrapped calls of a one-way byte stream beside the bare ones, on the same descriptors: what a mechanism's
/// benchmark consists of when its ends are read(2) and written.
#include <tenon/os/fd.hpp>
#include <harness/subject.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace harness {

struct StreamEnds {
  tenon::Fd reader;
  tenon::Fd writer;
};
/// Opens both ends of a new stream; may throw Failure.
using OpenStream = std::function<StreamEnds()>;

enum class Calls : unsigned char {
  bare,     ///< read(2) and write(2)
  wrapped,  ///< ReadEnd and WriteEnd, with `never`
};

/// One process writes a payload and reads it back.
Subject by_one_process(Calls calls, const OpenStream& open, std::size_t payload_bytes);
/// Two processes and two streams: a payload goes there and comes back.
Subject there_and_back(Calls calls, const OpenStream& open, std::size_t payload_bytes);
/// One process writes payload after payload, another reads and checks each.
Subject one_way(Calls calls, const OpenStream& open, std::size_t payload_bytes);

/// One operation beside the other, in one process: something that is done, such as opening.
Subject done_by_one_process(const std::string& name, const std::function<void()>& operation);

/// One operation of two processes, each of which does its half; the first is timed. `prepare` makes what they share, or
/// makes it anew, before they are forked at each start.
Subject done_by_two_processes(const std::string& name, const std::function<void()>& prepare,
                              const std::function<void()>& first, const std::function<void()>& second);

/// A subject beside its limit, where they run, and how they are called.
struct StreamPair {
  std::string name;
  Subject bare;
  Subject wrapped;
  enum class Where : unsigned char { alone, one_core, across_cores } where = Where::alone;
};
/// All of the above for one mechanism: 64 B there and back; 64 B, 4 KiB and 64 KiB one way.
std::vector<StreamPair> stream_pairs(const OpenStream& open);

/// Measures each pair between two probes of the cores' distance and prints a table and where it was made. Returns the
/// exit code: 1 if a pair could not be measured for another reason than too few cores.
int print_paired(const std::string& title, const std::vector<StreamPair>& pairs);

}  // namespace harness
