#include <kit/schedule_choices.hpp>

#include <charconv>
#include <string_view>

namespace kit {

namespace {

// In a random run, one choice in so many is disturbed.
constexpr unsigned disturbed = 8;
constexpr std::size_t unlimited = 1'000'000'000;

bool parse(std::string_view& text, std::size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

bool skip(std::string_view& text, char letter) {
  const bool there = text.starts_with(letter);
  text.remove_prefix(there ? 1 : 0);
  return there;
}

}  // namespace

Choices Choices::random(std::uint64_t seed) {
  Choices choices({.preemptions = unlimited, .stale_reads = unlimited});
  choices.random_.emplace(seed);
  return choices;
}

std::size_t* Choices::left_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::preemption:
      return &left_.preemptions;
    case Kind::stale:
      return &left_.stale_reads;
    case Kind::free:
      break;
  }
  return nullptr;
}

std::size_t Choices::choose(std::size_t options, Kind kind) {
  std::size_t* left = left_of(kind);
  if (options < 2 || (left != nullptr && *left == 0)) {
    return 0;
  }
  if (at_ == steps_.size()) {
    std::size_t taken = 0;
    if (random_ && (kind == Kind::free || (*random_)() % disturbed == 0)) {
      taken = (*random_)() % options;
    }
    steps_.push_back({.taken = taken, .options = options});
  }
  const std::size_t taken = steps_[at_++].taken;
  if (left != nullptr && taken != 0) {
    --*left;
  }
  return taken;
}

bool Choices::next() {
  at_ = 0;
  left_ = budget_;
  if (random_) {
    steps_.clear();
    return true;
  }
  while (!steps_.empty() && steps_.back().taken + 1 >= steps_.back().options) {
    steps_.pop_back();
  }
  if (steps_.empty()) {
    return false;
  }
  ++steps_.back().taken;
  return true;
}

std::string Choices::text() const {
  std::string out = std::to_string(budget_.preemptions) + "/" + std::to_string(budget_.stale_reads) + ":";
  for (std::size_t i = 0; i < at_;) {
    std::size_t run = 1;
    while (i + run < at_ && steps_[i + run].taken == steps_[i].taken) {
      ++run;
    }
    out += (i == 0 ? "" : ",") + std::to_string(steps_[i].taken) + (run == 1 ? "" : "*" + std::to_string(run));
    i += run;
  }
  return out;
}

std::optional<Choices> Choices::replay(const std::string& text) {
  std::string_view rest = text;
  Budget budget{};
  if (!parse(rest, budget.preemptions) || !skip(rest, '/') || !parse(rest, budget.stale_reads) || !skip(rest, ':')) {
    return std::nullopt;
  }
  Choices choices(budget);
  while (!rest.empty()) {
    Step step{};
    std::size_t times = 1;
    if (!parse(rest, step.taken) || (skip(rest, '*') && !parse(rest, times)) || (!skip(rest, ',') && !rest.empty())) {
      return std::nullopt;
    }
    choices.steps_.insert(choices.steps_.end(), times, step);  // with no options left, next() ends after this run
  }
  return choices;
}

}  // namespace kit
