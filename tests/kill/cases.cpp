#include "cases.hpp"

namespace kill_cases {

std::vector<Entry> all_cases() {
  return {
      {plain_mutex(), everywhere},
      {condition_variable(), everywhere},
      {semaphore_post(), everywhere},
      {robust_mutex(), everywhere | rivals | pairs | twice | many},
      {bounded_wait(), everywhere},
      {life_join(), everywhere | rivals | many},
      {life_leave(), everywhere},
      {life_sweep(), everywhere | rivals},
      {life_half_swept(), everywhere},
      {life_published_unlocked(), rivals},
      {domain_make(), everywhere | rivals},
      {domain_made_in_place(), everywhere},
      {rendezvous_join_receiver(), everywhere | rivals | twice},
      {rendezvous_join_sender(), everywhere},
      {rendezvous_leave(), everywhere},
      {rendezvous_confirm(), everywhere},
      {rendezvous_sweep(), everywhere | rivals | twice},
      {channel_conversation(), everywhere},
      {slot_put(), everywhere | rivals | twice},
      {rendezvous_made_before_noted(), everywhere},
      {rendezvous_entered_before_alive(), rivals},
  };
}

}  // namespace kill_cases
