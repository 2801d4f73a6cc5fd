// Blackboards: a value is written and read, found by its key and through its entry.
#include <tenon/messaging/blackboard/blackboard.hpp>
#include <guard/rooms.hpp>

namespace guard {

using tenon::never;

void count_boards(Paths& paths, const tenon::Holder& self) {
  using Key = tenon::FixedString<12>;
  auto board = tenon::Blackboard<Key, Words<8>>::create(self, "board", {.keys = 64}).or_throw();
  const Key key("ACME");
  const Words<8> value{};
  paths.count("board: 64 B, write by key", [&] { must(board.write(key, value, never).has_value()); });
  paths.count("board: 64 B, read by key", [&] { must(board.read<Words<8>>(key).has_value()); });
  auto entry = board.entry<Words<8>>(key, never).or_throw();
  paths.count("board: 64 B, write and read through an entry",
              [&] { must(entry.write(value, never).has_value() && entry.read().has_value()); });
}

}  // namespace guard
