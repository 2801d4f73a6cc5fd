#include <tenon/inspect/leftovers/domain_leftovers.hpp>

#include <tenon/inspect/leftovers/domain_takers.hpp>
#include <tenon/inspect/patterns/boards.hpp>
#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/inspect/patterns/queues.hpp>
#include <tenon/os/life_member.hpp>

#include <algorithm>
#include <array>
#include <tuple>

namespace tenon::inspect {

namespace {

struct PartName {
  DomainPart part;
  std::string_view name;
};
constexpr std::array part_names = {
    PartName{DomainPart::life, "life"},     PartName{DomainPart::channel, "channel"},
    PartName{DomainPart::topic, "topic"},   PartName{DomainPart::service, "service"},
    PartName{DomainPart::stream, "stream"}, PartName{DomainPart::queue, "queue"},
    PartName{DomainPart::board, "board"},
};

// What goes with the last who takes part in it.
DomainLeftover gone_with_the_last(DomainPart part, TakenPart taken) {
  DomainLeftover row{.part = part,
                     .name = std::move(taken.name),
                     .files = std::move(taken.files),
                     .judgement = {},
                     .living = taken.takers.living()};
  const std::string dead = taken.takers.dead_text();
  if (taken.takers.nobody_lives()) {
    row.judgement = {.verdict = LeftoverVerdict::left_over,
                     .proof = dead.empty() ? "nobody takes part in it" : "all who took part in it are dead: " + dead};
  } else if (!taken.files_of_dead.empty()) {
    row.files = std::move(taken.files_of_dead);
    row.judgement = {.verdict = LeftoverVerdict::left_over,
                     .proof = "others use it, but these are files of the dead: " + dead};
  } else {
    row.judgement = {.verdict = LeftoverVerdict::in_use, .proof = "somebody who lives takes part in it"};
  }
  return row;
}

DomainLeftover judge_life(FdView directory, const LifeName& name) {
  const auto standing = standing_at(directory, name);
  const bool lives = !standing || *standing == Standing::alive || *standing == Standing::absent;
  return {.part = DomainPart::life,
          .name = name.text(),
          .files = {name.text()},
          .judgement = {.verdict = lives ? LeftoverVerdict::in_use : LeftoverVerdict::left_over,
                        .proof = name.who.message() + " is dead: the lock on its life file is free"},
          .living = lives ? std::vector{name.who.pid} : std::vector<pid_t>()};
}

DomainLeftover judge_queue(const QueueSeen& queue) {
  DomainLeftover row{.part = DomainPart::queue,
                     .name = queue.name,
                     .files = {"queue." + queue.name},
                     .judgement = {.verdict = LeftoverVerdict::unjudged, .proof = {}},
                     .living = {}};
  for (const QueueMemberSeen& member : queue.members) {
    if (member.alive) {
      row.living.push_back(member.pid);
    }
  }
  row.judgement = row.living.empty()
                      ? Judgement{.verdict = LeftoverVerdict::unjudged,
                                  .proof = "nobody has it open, but a queue stays until it is removed; it holds " +
                                           std::to_string(queue.waiting + queue.taken) + " messages"}
                      : Judgement{.verdict = LeftoverVerdict::in_use, .proof = "somebody who lives has it open"};
  return row;
}

DomainLeftover judge_board(const Board& board) {
  return {.part = DomainPart::board,
          .name = board.name,
          .files = {"board." + board.name},
          .judgement = {.verdict = LeftoverVerdict::unjudged,
                        .proof = "a blackboard stays until it is removed, and who reads it is not seen; it holds " +
                                 std::to_string(board.keys) + " keys"},
          .living = {}};
}

template <class T>
void take_unseen(DomainLeftovers& into, const Result<T>& seen, const char* what) {
  if (!seen) {
    into.unseen.push_back(std::string(what) + ": " + seen.error().message());
    return;
  }
  into.unseen.insert(into.unseen.end(), seen->unseen.begin(), seen->unseen.end());
}

void add_persistent(DomainLeftovers& into, const std::string& domain) {
  const auto all_queues = queues(domain);
  take_unseen(into, all_queues, "queues");
  for (const QueueSeen& queue : all_queues ? all_queues->queues : std::vector<QueueSeen>()) {
    into.all.push_back(judge_queue(queue));
  }
  const auto all_boards = boards(domain);
  take_unseen(into, all_boards, "blackboards");
  for (const Board& board : all_boards ? all_boards->boards : std::vector<Board>()) {
    into.all.push_back(judge_board(board));
  }
}

// Everything, in use or not.
Result<DomainLeftovers> parts_of(const std::string& domain) {
  const auto directory = open_domain_directory(domain);
  const auto names = directory ? names_in(directory->view(), "") : fail(Error(directory.error()));
  if (!names) {
    return fail(Error(names.error()));
  }
  DomainLeftovers found;
  Lives lives(directory->view());
  DomainTakers takers(directory->view(), lives, found.unseen);
  for (const std::string& name : *names) {
    if (const auto life = LifeName::parse(name)) {
      found.all.push_back(judge_life(directory->view(), *life));
    }
  }
  for (TakenPart& part : takers.channels(*names)) {
    found.all.push_back(gone_with_the_last(DomainPart::channel, std::move(part)));
  }
  for (TakenPart& part : takers.topics(*names)) {
    found.all.push_back(gone_with_the_last(DomainPart::topic, std::move(part)));
  }
  for (TakenPart& part : takers.services(*names)) {
    found.all.push_back(gone_with_the_last(DomainPart::service, std::move(part)));
  }
  for (TakenPart& part : takers.streams(*names)) {
    found.all.push_back(gone_with_the_last(DomainPart::stream, std::move(part)));
  }
  add_persistent(found, domain);
  std::ranges::sort(found.all, {}, [](const DomainLeftover& one) { return std::tie(one.part, one.name); });
  return found;
}

}  // namespace

std::string_view name_of(DomainPart part) noexcept {
  return std::ranges::find(part_names, part, &PartName::part)->name;
}

Result<DomainLeftovers> domain_leftovers(const std::string& domain) {
  return parts_of(domain).transform([](DomainLeftovers found) {
    std::erase_if(found.all,
                  [](const DomainLeftover& one) { return one.judgement.verdict == LeftoverVerdict::in_use; });
    return found;
  });
}

Result<DomainLeftover> domain_part(const std::string& domain, DomainPart part, std::string_view name) {
  return parts_of(domain).and_then([&](DomainLeftovers found) -> Result<DomainLeftover> {
    const auto row = std::ranges::find_if(
        found.all, [&](const DomainLeftover& one) { return one.part == part && one.name == name; });
    return row == found.all.end()
               ? fail(Error(Errc::not_found).on(std::string(name_of(part)) + ":" + std::string(name)))
               : Result<DomainLeftover>(std::move(*row));
  });
}

}  // namespace tenon::inspect
