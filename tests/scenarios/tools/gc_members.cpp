#include "gc_members.hpp"

#include <tenon/os/process.hpp>

#include <kit/asleep.hpp>
#include <kit/two_processes.hpp>

namespace tools {

using namespace tenon;

void kill_in_a_stream(const Domain& domain, const std::string& name) {
  kit::Sides sides({{"writer",
                     [&](kit::Stage& stage) {
                       const Life life = Life::join(domain).or_throw();
                       const Holder holder = Holder::of(domain, life).or_throw();
                       const auto writer = StreamWriter::open(holder, name, never).or_throw();
                       stage.signal("joined");
                       kit::wait_to_be_killed();
                     }},
                    {"reader", [&](kit::Stage& stage) {
                       const Life life = Life::join(domain).or_throw();
                       const Holder holder = Holder::of(domain, life).or_throw();
                       const auto reader = StreamReader::open(holder, name, never).or_throw();
                       stage.signal("joined");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("joined", 2);
  sides.side("writer").kill();
  sides.side("reader").kill();
  sides.finish();
}

}  // namespace tools
