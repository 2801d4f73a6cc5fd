// Services: a call is there and back by nature.
#include <cells/tenon/mechanisms.hpp>

#include <service/calls.hpp>

namespace cells {

Mechanism service_mechanism() {
  return {.name = "service",
          .family = "Tenon",
          .about = "a call and its answer",
          .subject = [](const Cell& cell) -> tenon::Result<harness::Subject> {
            if (cell.pattern != Pattern::round_trip || cell.wait == Wait::poll || cell.depth > 0) {
              return tenon::fail(tenon::Errc::not_supported);
            }
            return cell.sleeps() ? services::round_trip_asleep(cell.bytes, where_of(cell.place))
                                 : services::round_trip(cell.bytes, waiting_of(cell.wait));
          }};
}

}  // namespace cells
