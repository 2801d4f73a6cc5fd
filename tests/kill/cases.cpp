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
      {memory_allocate(), everywhere | twice},
      {memory_free(), everywhere | twice},
      {memory_grow(), everywhere | twice},
      {memory_find_or_construct(), everywhere | twice},
      {memory_destroy(), everywhere | twice},
      {memory_create(), everywhere | rivals | twice},
      {memory_open(), everywhere},
      {memory_allocate_unjournalled(), everywhere},
      {memory_free_unjournalled(), everywhere},
      {memory_grow_unjournalled(), everywhere},
      {memory_find_or_construct_unjournalled(), everywhere},
      {memory_vector_push(), everywhere | twice},
      {memory_vector_insert(), everywhere | twice},
      {memory_vector_erase(), everywhere | twice},
      {memory_vector_set(), everywhere | twice},
      {memory_map_insert(), everywhere | twice},
      {memory_map_erase(), everywhere | twice},
      {memory_vector_push_unjournalled(), everywhere},
      {memory_vector_erase_ungapped(), everywhere},
      {memory_map_insert_unjournalled(), everywhere},
      {memory_map_erase_unjournalled(), everywhere},
  };
}

}  // namespace kill_cases
