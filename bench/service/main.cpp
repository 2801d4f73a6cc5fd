// service: what a call takes beside a topic's message there and back.
#include <service/calls.hpp>
#include <topic/program.hpp>

int main(int argc, char** argv) {
  const topics::IdleCase idle{.name = "idle server: sleep", .measure = [](std::chrono::nanoseconds time) {
                                return services::measure_idleness(tenon::Waiting::sleep, time);
                              }};
  return topics::run_program(
      {.name = "service",
       .about = "Calls of a service beside a topic's messages there and back, in pairs of blocks.\n\n"
                "Example: service --quick '8 B'",
       .rows = [](limits::Extent) { return services::all_rows(); },
       .idle = {idle}},
      argc, argv);
}
