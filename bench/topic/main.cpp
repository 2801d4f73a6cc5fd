// topic: what a topic reaches of what the machine can do at best.
#include <topic/program.hpp>

namespace {

topics::IdleCase idle(const char* name, tenon::Waiting waiting) {
  return {.name = name,
          .measure = [=](std::chrono::nanoseconds time) { return topics::measure_idleness(waiting, time); }};
}

}  // namespace

int main(int argc, char** argv) {
  return topics::run_program(
      {.name = "topic",
       .about = "Topics beside what the machine can do at best, in pairs of blocks.\n\n"
                "Example: topic --quick 'there and back'",
       .rows = topics::all_rows,
       .idle = {idle("idle: adaptive", tenon::Waiting::adaptive), idle("idle: sleep", tenon::Waiting::sleep)}},
      argc, argv);
}
