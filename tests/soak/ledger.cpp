#include "ledger.hpp"

#include <algorithm>

namespace soak {

void Ledger::begin_round(std::uint32_t number) {
  round_ = number;
  enter(Phase::work);
  for (TopicLedger& topic : topics_) {
    for (std::uint32_t i = 0; i < topic.publishers.load(); ++i) {
      topic.progress[i].begun = 0;
      topic.progress[i].sent = 0;
      topic.progress[i].end = 0;
    }
    topic.publishers = 0;
  }
}

void Ledger::complain(std::string_view what) noexcept {
  const std::uint64_t place = complaints_.fetch_add(1);
  if (place < kept_complaints) {
    std::array<char, 240>& text = texts_[place];
    std::ranges::copy(what.substr(0, text.size() - 1), text.begin());
  }
}

}  // namespace soak
