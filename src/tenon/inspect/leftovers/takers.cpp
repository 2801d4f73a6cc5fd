#include <tenon/inspect/leftovers/takers.hpp>

#include <algorithm>

namespace tenon::inspect {

bool Takers::add(Token life) {
  const bool gone = lives_->is_gone(life);
  if (std::ranges::find(known_, life) == known_.end()) {
    known_.push_back(life);
    (gone ? dead_ : living_).push_back(lives_->pid_of(life).value_or(0));
  }
  return !gone;
}

std::string Takers::dead_text() const {
  std::vector<std::string> words;
  for (const pid_t pid : dead_) {
    if (pid != 0) {
      words.push_back(std::to_string(pid));
    }
  }
  std::string text = words.empty() ? "" : words.size() == 1 ? "process " : "processes ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  }
  const std::size_t forgotten = dead_.size() - words.size();
  if (forgotten > 0) {
    text += (text.empty() ? "" : ", ") + std::to_string(forgotten) + " whose life " +
            (forgotten == 1 ? "file is gone" : "files are gone");
  }
  return text;
}

}  // namespace tenon::inspect
