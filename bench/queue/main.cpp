// queue: how a queue stands beside the kernel's and Boost's.
#include <queue/row.hpp>
#include <topic/program.hpp>

int main(int argc, char** argv) {
  return topics::run_program({.name = "queue",
                              .about = "Queues beside the kernel's and Boost's, in pairs of blocks.\n\n"
                                       "Example: queue --quick 'there and back'",
                              .rows = [](limits::Extent) { return queues::rows_of({64}); }},
                             argc, argv);
}
