// Calls into compiled code of two floors, so that a library which lacks either does not link.
#include <tenon/base/deadline.hpp>
#include <tenon/base/name.hpp>
#include <tenon/os/stop.hpp>

#include <cstdio>

int main() {
  using namespace tenon;
  const Name name = Name::make("outside").or_throw();
  const Stop stop = Stop::create().or_throw();
  if (stop.requested() || !Name::make("a/b").failed_with(Errc::invalid_name)) {
    return 1;
  }
  std::printf("%s uses an installed tenon\n", name.text().c_str());
  return 0;
}
