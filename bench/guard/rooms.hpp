#pragma once
/// The rooms of the guard, each a file of its own.
#include <tenon/sync/holder.hpp>
#include <guard/paths.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace guard {

/// A message of so many words.
template <std::size_t Count>
struct Words {
  static constexpr std::string_view type_name = "guard.Words";
  std::array<std::uint64_t, Count> words;
};

/// How messages get their times, and sleepers their barriers, on this machine.
std::string way_of_topics();

void count_rings(Paths& paths);
void count_locks(Paths& paths, const tenon::Holder& self);
void count_kernel_queues(Paths& paths);
void count_kernel_streams(Paths& paths);
void count_topics(Paths& paths, const tenon::Holder& self);
void count_queues(Paths& paths, const tenon::Holder& self);
void count_streams(Paths& paths, const tenon::Holder& self);
void count_services(Paths& paths, const tenon::Holder& self);
void count_boards(Paths& paths, const tenon::Holder& self);

}  // namespace guard
