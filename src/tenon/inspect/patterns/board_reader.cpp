/// Blackboards as objects of a snapshot. inspect/patterns/boards.hpp
///
/// A board keeps no record of who uses it: who has its file mapped does.
#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/inspect/patterns/boards.hpp>
#include <tenon/inspect/patterns/domain_scene.hpp>
#include <tenon/messaging/blackboard/board_layout.hpp>

namespace tenon::inspect {

void read_boards(DomainScene& scene, Snapshot& into) {
  const auto all = boards(scene.path());
  if (!all) {
    scene.add_failure(into, all.error());
    return;
  }
  for (const Board& board : all->boards) {
    Object object = scene.object(Kind::board, board.name, board_prefix + board.name);
    object.figures = {{.name = "keys", .value = board.keys},
                      {.name = "written", .value = board.written},
                      {.name = "bytes", .value = board.memory},
                      {.name = "max_keys", .value = board.most_keys}};
    add_file(into, std::move(object), scene.sightings());
  }
  scene.add_unseen(into, all->unseen);
}

}  // namespace tenon::inspect
