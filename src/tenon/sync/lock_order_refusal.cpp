#include <tenon/sync/lock_order_refusal.hpp>

#include <tenon/base/name.hpp>

#include <string>

namespace tenon {

namespace {

std::string who(const OrderStory& story) {
  return "thread " + std::to_string(story.thread) + " of pid " + std::to_string(story.pid) + " (" +
         escaped(story.name) + ")";
}

std::string taken_at(const LockGraph& graph, std::uint32_t place) {
  return " (taken at " + escaped(graph.place_text(place)) + ")";
}

std::string lock_text(const LockGraph& graph, std::uint32_t lock) { return escaped(graph.name_of_lock(lock)); }

// "thread 7 of pid 7 (bank) held X (taken at a.cpp:1) and wanted Y at a.cpp:2"
std::string link_text(const LockGraph& graph, std::uint32_t number) {
  const OrderWord order = graph.order_word(number);
  const auto story = graph.story(number);
  const std::string wanted = lock_text(graph, order.wanted);
  if (!story) {
    return "somebody, killed while it was written down, held " + lock_text(graph, order.held) + " and wanted " + wanted;
  }
  return who(*story) + " held " + lock_text(graph, order.held) + taken_at(graph, story->held_at) + " and wanted " +
         wanted + " at " + escaped(graph.place_text(story->wanted_at));
}

}  // namespace

Error held_already(const LockGraph& graph, LockNode lock, const OrderStory& story) {
  const std::string name = graph.name_of_lock(lock.number);
  return Error(Errc::deadlock, "lock")
      .on(name)
      .because(who(story) + " holds it already" + taken_at(graph, story.held_at) + " and wants it at " +
               escaped(graph.place_text(story.wanted_at)));
}

Error would_deadlock(const LockGraph& graph, LockNode held, LockNode wanted, const OrderStory& story,
                     std::span<const std::uint32_t> back) {
  std::string text = who(story) + " holds " + lock_text(graph, held.number) + taken_at(graph, story.held_at) +
                     " and wants " + lock_text(graph, wanted.number) + " at " +
                     escaped(graph.place_text(story.wanted_at)) + "; but ";
  for (const std::uint32_t number : back) {
    text += (number == back.front() ? "" : ", and ") + link_text(graph, number);
  }
  return Error(Errc::deadlock, "lock").on(graph.name_of_lock(wanted.number)).because(text);
}

}  // namespace tenon
