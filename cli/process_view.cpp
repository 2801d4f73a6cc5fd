#include <cli/process_view.hpp>

#include <tenon/os/clock.hpp>

#include <cli/columns.hpp>
#include <cli/object_text.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace tenon::cli {

namespace {

using inspect::Edge;
using inspect::Snapshot;

// "holds fd 3, last sent"
std::string relations_text(const Snapshot& all, std::size_t object, pid_t pid) {
  std::string text;
  for (const Edge& edge : all.edges_of(object)) {
    if (edge.pid == pid) {
      std::string one(inspect::name_of(edge.relation));
      std::ranges::replace(one, '_', ' ');
      text += (text.empty() ? "" : ", ") + one;
      text += edge.relation == inspect::Relation::holds && edge.descriptor != -1
                  ? fmt::format(" fd {}", edge.descriptor)
                  : "";
      text += edge.messages ? fmt::format(" {} messages", *edge.messages) : "";
    }
  }
  return text;
}

std::string waits_text(const Snapshot& all, pid_t pid) {
  std::string text;
  for (const inspect::Wait& wait : all.waits) {
    if (wait.pid != pid) {
      continue;
    }
    std::string what;
    for (const std::size_t object : wait.objects) {
      what += (what.empty() ? "" : " or ") + target_text(all.objects[object]);
    }
    fmt::format_to(std::back_inserter(text), "thread {} waits in {} for {}{}{}\n", wait.thread, wait.call,
                   inspect::name_of(wait.need), what.empty() ? "" : " at ", what.empty() ? wait.unseen : what);
  }
  return text;
}

}  // namespace

std::vector<std::size_t> objects_of(const Snapshot& all, pid_t pid) {
  std::set<std::size_t> places;
  for (const Edge& edge : all.edges) {
    if (edge.pid == pid && !edge.ended) {
      places.insert(edge.object);
    }
  }
  for (const inspect::Wait& wait : all.waits) {
    if (wait.pid == pid) {
      places.insert(wait.objects.begin(), wait.objects.end());
    }
  }
  return {places.begin(), places.end()};
}

std::string process_view(const Snapshot& all, pid_t pid) {
  const inspect::Process* const process = all.process(pid);
  std::string text = process_text(all, pid);
  text += process == nullptr ? "\n" : ", user " + user_text(process->user) + "\n";
  text += waits_text(all, pid);
  Columns columns({"OBJECT", "HOW", "CONTENT"});
  const auto places = objects_of(all, pid);
  for (const std::size_t place : places) {
    const inspect::Object& object = all.objects[place];
    const std::string figures = figures_text(object, false);
    columns.add({target_text(object), relations_text(all, place, pid),
                 object.state + (object.state.empty() || figures.empty() ? "" : "; ") + figures});
  }
  return text +
         (places.empty() ? "it has to do with none of the objects that are seen\n" : columns.text(terminal_width()));
}

}  // namespace tenon::cli
