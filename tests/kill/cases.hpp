#pragma once
/// The operations that the kill table goes through. A new one: a file in cases/, its function here, its line in
/// cases.cpp.
#include <kit/kill_case.hpp>

#include <memory>
#include <vector>

namespace kill_cases {

/// In which ways a case is tried, as a set.
enum Ways : unsigned {
  everywhere = 1,  ///< killed at each point
  rivals = 2,      ///< stopped at each point while a rival runs
  copies = 4,      ///< recovered from a copy of the segment after each change
  twice = 8,       ///< killed again during recovery
  many = 16,       ///< random kills among many processes
  pairs = 32,      ///< both stopped, at pairs of points
};

struct Entry {
  kit::KillCase which;
  unsigned ways;
};

std::vector<Entry> all_cases();

/// A control is known to be unsafe.
template <class Trial>
kit::KillCase case_of(const char* name, bool control = false) {
  return {.name = name, .make = [] { return std::make_unique<Trial>(); }, .control = control};
}

kit::KillCase plain_mutex();
kit::KillCase robust_mutex();
kit::KillCase condition_variable();
kit::KillCase semaphore_post();
kit::KillCase bounded_wait();
kit::KillCase sync_mutex();
kit::KillCase sync_read();
kit::KillCase sync_write();
kit::KillCase sync_condition_wait();
kit::KillCase sync_condition_notify();
kit::KillCase sync_event_set();
kit::KillCase sync_event_wait();
kit::KillCase sync_once();
kit::KillCase sync_semaphore_acquire();
kit::KillCase sync_semaphore_release();
kit::KillCase sync_barrier_arrive();
kit::KillCase sync_barrier_leave();
kit::KillCase sync_barrier_join();
kit::KillCase sync_barrier_take_out();
kit::KillCase life_join();
kit::KillCase life_leave();
kit::KillCase life_sweep();
kit::KillCase life_published_unlocked();
kit::KillCase life_half_swept();
kit::KillCase domain_make();
kit::KillCase domain_made_in_place();
kit::KillCase rendezvous_join_receiver();
kit::KillCase rendezvous_join_sender();
kit::KillCase rendezvous_leave();
kit::KillCase rendezvous_confirm();
kit::KillCase rendezvous_sweep();
kit::KillCase channel_conversation();
kit::KillCase slot_put();
kit::KillCase rendezvous_made_before_noted();
kit::KillCase rendezvous_entered_before_alive();
kit::KillCase memory_allocate();
kit::KillCase memory_free();
kit::KillCase memory_grow();
kit::KillCase memory_find_or_construct();
kit::KillCase memory_destroy();
kit::KillCase memory_lengthen_names();
kit::KillCase memory_lengthen_names_unjournalled();
kit::KillCase memory_create();
kit::KillCase memory_open();
kit::KillCase memory_allocate_unjournalled();
kit::KillCase memory_free_unjournalled();
kit::KillCase memory_grow_unjournalled();
kit::KillCase memory_find_or_construct_unjournalled();
kit::KillCase memory_vector_push();
kit::KillCase memory_vector_insert();
kit::KillCase memory_vector_erase();
kit::KillCase memory_vector_set();
kit::KillCase memory_map_insert();
kit::KillCase memory_map_erase();
kit::KillCase memory_vector_push_unjournalled();
kit::KillCase memory_vector_erase_ungapped();
kit::KillCase memory_map_insert_unjournalled();
kit::KillCase memory_map_erase_unjournalled();
kit::KillCase topic_publish_short();
kit::KillCase topic_publish_long();
kit::KillCase topic_receive_short();
kit::KillCase topic_receive_long();
kit::KillCase topic_publish_slices();
kit::KillCase topic_write_again();
kit::KillCase topic_publish_batch();
kit::KillCase topic_receive_batch();
kit::KillCase topic_ring_who_polls();
kit::KillCase topic_begin_to_poll();
kit::KillCase topic_join_publisher();
kit::KillCase topic_join_subscriber();
kit::KillCase topic_leave_publisher();
kit::KillCase topic_leave_subscriber();
kit::KillCase topic_numbered_first();
kit::KillCase board_write();
kit::KillCase board_add();
kit::KillCase board_read();
kit::KillCase board_wait();
kit::KillCase board_make();
kit::KillCase board_stated_first();
kit::KillCase queue_send_short();
kit::KillCase queue_send_long();
kit::KillCase queue_send_among_many();
kit::KillCase queue_receive_short();
kit::KillCase queue_receive_long();
kit::KillCase queue_acknowledge_short();
kit::KillCase queue_acknowledge_long();
kit::KillCase queue_give_back();
kit::KillCase queue_peek();
kit::KillCase queue_abandon();
kit::KillCase queue_acknowledged_first();
kit::KillCase queue_committed_first();
kit::KillCase queue_open();
kit::KillCase queue_close();
kit::KillCase queue_make();
kit::KillCase queue_remove();
kit::KillCase queue_take_back();
kit::KillCase queue_order_anew();
kit::KillCase queue_map_anew();
kit::KillCase queue_wait();
kit::KillCase queue_wait_for_room();
kit::KillCase queue_free_among_many();
kit::KillCase stream_write();
kit::KillCase stream_write_to_who_polls();
kit::KillCase stream_write_in_place();
kit::KillCase stream_read();
kit::KillCase stream_peek();
kit::KillCase stream_open_writer();
kit::KillCase stream_open_reader();
kit::KillCase stream_close_writer();
kit::KillCase stream_close_reader();
kit::KillCase stream_make_way();
kit::KillCase stream_counted_first();
kit::KillCase service_call_short();
kit::KillCase service_call_long();
kit::KillCase service_answer_short();
kit::KillCase service_answer_long();
kit::KillCase service_create_server();
kit::KillCase service_create_client();
kit::KillCase service_close_server();
kit::KillCase service_close_client();
kit::KillCase service_ended_first();

}  // namespace kill_cases
