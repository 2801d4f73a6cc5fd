/// A child's memory is its own: what it changes stays as it was in the parent, but for what both share.
#include "text.hpp"

#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>

using namespace tenon;

namespace {

volatile int private_variable = 1;

}  // namespace

int main() {
  return seeds::run([] {
    const Mapping memory = Mapping::shared_with_children(sizeof(int)).or_throw();
    auto& shared_variable = *reinterpret_cast<volatile int*>(memory.data());
    shared_variable = 1;

    Child child = spawn([&] {
                    private_variable = 2;
                    shared_variable = 2;
                    return 0;
                  }).or_throw();
    const bool ended = child.wait(seeds::soon()).or_throw().success();

    if (!ended || private_variable != 1 || shared_variable != 2) {
      return 1;
    }
    seeds::say("private variable unchanged");
    seeds::say("shared changed");
    return 0;
  });
}
