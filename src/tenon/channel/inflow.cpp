#include <tenon/channel/inflow.hpp>

#include <algorithm>

namespace tenon {

namespace {

bool may_come(FlowKey key, const Flow& flow, const std::optional<FlowKey>& current) {
  return !flow.held.empty() && (!current || key == *current);
}

}  // namespace

bool Inflow::in_message() const {
  return std::ranges::any_of(flows, [](const auto& entry) { return entry.second.offset != 0; });
}

std::size_t Inflow::drop_held() {
  std::size_t bytes = 0;
  for (auto& [priority, flow] : flows) {
    for (const HeldFrame& one : flow.held) {
      bytes += one.cost();
    }
    flow.held.clear();
  }
  return bytes;
}

Flow* next_held(Inflows& inflows, const std::optional<FlowKey>& current) {
  Flow* next = nullptr;
  std::uint32_t highest = 0;
  for (auto& [sender, inflow] : inflows) {
    for (auto& [priority, flow] : inflow.flows) {
      if (!may_come({.sender = sender, .priority = priority}, flow, current)) {
        continue;
      }
      const bool older = next != nullptr && priority == highest && flow.held.front().turn < next->held.front().turn;
      if (next == nullptr || priority > highest || older) {
        next = &flow;
        highest = priority;
      }
    }
  }
  return next;
}

std::optional<Token> overdue(const Inflows& inflows, const std::optional<FlowKey>& current, std::uint64_t taken) {
  for (const auto& [sender, inflow] : inflows) {
    if (inflow.ended || !inflow.owed_until || taken < *inflow.owed_until) {
      continue;
    }
    const bool in_own = current && current->sender == sender;
    const bool more_comes = std::ranges::any_of(inflow.flows, [&](const auto& entry) {
      const auto& [priority, flow] = entry;
      return in_own ? may_come({.sender = sender, .priority = priority}, flow, current) : !flow.held.empty();
    });
    if (!more_comes) {
      return sender;
    }
  }
  return std::nullopt;
}

}  // namespace tenon
