#include <cells/line.hpp>
#include <cells/tenon/mechanisms.hpp>

namespace cells {

const std::vector<Mechanism>& all_mechanisms() {
  static const std::vector<Mechanism> all = [] {
    std::vector<Mechanism> made;
    for (const LineKind& kind :
         {pipe_line(), fifo_line(), unix_stream_line(), unix_seqpacket_line(), unix_datagram_line(), tcp_line(),
          posix_queue_line(), sysv_queue_line(), posix_memory_line(), sysv_memory_line(), memfd_line()}) {
      made.push_back(mechanism_of(kind));
    }
    for (auto own : {topic_mechanism, queue_mechanism, stream_mechanism, service_mechanism, board_mechanism}) {
      made.push_back(own());
    }
    return made;
  }();
  return all;
}

}  // namespace cells
