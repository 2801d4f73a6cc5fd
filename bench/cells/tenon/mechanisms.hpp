#pragma once
/// Tenon's own patterns as mechanisms of the table, one file each.
#include <cells/cell.hpp>

#include <tenon/messaging/topic/topic_options.hpp>
#include <limits/limit.hpp>

namespace cells {

Mechanism topic_mechanism();
Mechanism queue_mechanism();
Mechanism stream_mechanism();
Mechanism service_mechanism();
Mechanism board_mechanism();

/// As Tenon's ports have it; what has no descriptor polls by sleeping.
constexpr tenon::Waiting waiting_of(Wait wait) noexcept {
  return wait == Wait::spin       ? tenon::Waiting::spin
         : wait == Wait::adaptive ? tenon::Waiting::adaptive
                                  : tenon::Waiting::sleep;
}

constexpr limits::Where where_of(Place place) noexcept {
  return place == Place::one_core ? limits::Where::one_core : limits::Where::across_cores;
}

}  // namespace cells
