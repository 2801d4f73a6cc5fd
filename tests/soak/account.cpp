#include "account.hpp"

#include "message.hpp"

#include <algorithm>

namespace soak {

namespace {

// A publisher's name in its messages: the round, so that none of an earlier one passes, and its place in the ledger.
constexpr unsigned round_shift = 32;

}  // namespace

Account::Account(const Task& task) : task_(task), heard_(most_publishers) {
  const TopicLedger& topic = task.topic();
  const std::uint32_t publishers = std::min(topic.publishers.load(), most_publishers);
  for (std::uint32_t i = 0; i < publishers; ++i) {
    before_.push_back({.sent = topic.progress[i].sent.load()});
  }
}

void Account::joined() {
  const TopicLedger& topic = task_.topic();
  const std::uint32_t publishers = std::min(topic.publishers.load(), most_publishers);
  before_.resize(publishers, {.sent = 0});
  for (std::uint32_t i = 0; i < publishers; ++i) {
    before_[i].begun = topic.progress[i].begun.load();
    unheard_from_before_ += before_[i].begun != 0 ? 1 : 0;
  }
}

void Account::hear(std::span<const std::uint64_t> words, std::optional<std::uint64_t> lost_before) {
  ++messages_;
  words_ += words.size();
  Heard* const heard = is_whole(words) ? heard_of(words[0]) : nullptr;
  if (heard == nullptr) {
    task_.complain("a message is torn");
    return;
  }
  if (heard->begun) [[likely]] {
    go_on(*heard, words[1], lost_before);
  } else {
    begin(*heard, static_cast<std::uint32_t>(words[0]), words[1], lost_before);
  }
  heard->next = words[1] + 1;
}

Account::Heard* Account::heard_of(std::uint64_t publisher) {
  const auto place = static_cast<std::uint32_t>(publisher);
  return publisher >> round_shift == task_.ledger.round() && place < most_publishers ? &heard_[place] : nullptr;
}

void Account::begin(Heard& heard, std::uint32_t publisher, std::uint64_t number,
                    std::optional<std::uint64_t> lost_before) {
  const Before before = publisher < before_.size() ? before_[publisher] : Before{.sent = 0};
  unheard_from_before_ -= before.begun != 0 ? 1 : 0;
  heard.begun = true;
  // Who passes over messages, or was not told how many it lost, began at 0 where the publisher came later.
  const bool is_told = lost_before && task_.role.work != Work::receive_newest;
  heard.start = is_told ? number - *lost_before : std::min(number, before.begun);
  if (heard.start < before.sent || heard.start > before.begun) {
    complain_about(publisher, "the first message is number " + std::to_string(heard.start) + ", and not between " +
                                  std::to_string(before.sent) + " and " + std::to_string(before.begun));
  }
  heard.next = heard.start;
  go_on(heard, number, lost_before);
}

void Account::go_on(Heard& heard, std::uint64_t number, std::optional<std::uint64_t> lost_before) {
  if (number == heard.next && lost_before.value_or(0) == 0) [[likely]] {
    return;
  }
  const std::uint64_t gap = number - heard.next;
  if (number > heard.next && is_lossy() && lost_before.value_or(gap) == gap) [[likely]] {
    count_gap(gap);
    return;
  }
  if (number > heard.next && task_.role.work == Work::receive_newest && lost_before.value_or(0) == 0) {
    return;
  }
  complain_about(static_cast<std::uint32_t>(&heard - heard_.data()),
                 "number " + std::to_string(number) + " came where " + std::to_string(heard.next) +
                     " was next, and it was told that " + std::to_string(lost_before.value_or(0)) + " were lost");
}

void Account::count_gap(std::uint64_t messages) noexcept {
  ++gaps_;
  lost_ += messages;
  counted_lost_ += messages;
}

void Account::settle(std::uint64_t lost_in_all) {
  const std::uint32_t publishers = std::min(task_.topic().publishers.load(), most_publishers);
  std::uint64_t checked = 0;
  for (std::uint32_t i = 0; i < publishers; ++i) {
    checked += settle(i) ? 1 : 0;
  }
  if (lost_in_all != lost_) {
    task_.complain("it was told of " + std::to_string(lost_in_all) + " lost messages in all, and " +
                   std::to_string(lost_) + " were left out");
  }
  const auto heard = static_cast<std::uint64_t>(std::ranges::count_if(heard_, &Heard::begun));
  if (ends_told_ < heard || ends_told_ > publishers) {
    task_.complain("of " + std::to_string(publishers) + " publishers " + std::to_string(heard) + " were heard, and " +
                   std::to_string(ends_told_) + " ends told");
  }
  task_.ledger.tally().ends_checked += checked;
  task_.ledger.tally().ends_told += ends_told_;
  (is_lossy() ? task_.ledger.tally().lossy_ended : task_.ledger.tally().reliable_ended) += 1;
}

// Whether the publisher has sent anything that had to come here.
bool Account::settle(std::uint32_t publisher) {
  Progress& progress = task_.topic().progress[publisher];
  const Heard& heard = heard_[publisher];
  const std::uint64_t sent = progress.sent.load();
  const std::uint64_t begun_before = publisher < before_.size() ? before_[publisher].begun : 0;
  if (!heard.begun) {
    if (sent > begun_before) {
      complain_about(publisher, "nothing was heard of " + std::to_string(sent) + " messages");
    }
    return false;
  }
  if (heard.next < sent || heard.next > progress.begun.load()) {
    complain_about(publisher, "it ended at " + std::to_string(heard.next) + " after " + std::to_string(sent) + " to " +
                                  std::to_string(progress.begun.load()) + " messages");
  }
  std::uint64_t end = 0;
  if (!progress.end.compare_exchange_strong(end, heard.next + 1) && end != heard.next + 1) {
    complain_about(publisher,
                   "it ended at " + std::to_string(heard.next) + ", another says at " + std::to_string(end - 1));
  }
  return true;
}

void Account::complain_about(std::uint32_t publisher, const std::string& what) {
  task_.complain("of publisher " + std::to_string(publisher) + ", " + what);
}

void Account::count() {
  Tally& tally = task_.ledger.tally();
  tally.received.fetch_add(std::exchange(messages_, 0), std::memory_order_relaxed);
  tally.bytes.fetch_add(std::exchange(words_, 0) * sizeof(std::uint64_t), std::memory_order_relaxed);
  tally.gaps.fetch_add(std::exchange(gaps_, 0), std::memory_order_relaxed);
  tally.lost.fetch_add(std::exchange(counted_lost_, 0), std::memory_order_relaxed);
}

}  // namespace soak
