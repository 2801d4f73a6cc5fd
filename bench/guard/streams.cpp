// Streams: bytes are written and read.
#include <tenon/messaging/stream/stream.hpp>
#include <guard/rooms.hpp>

#include <optional>
#include <thread>
#include <vector>

namespace guard {

using tenon::never;
using tenon::StreamReader;
using tenon::StreamWriter;

void count_streams(Paths& paths, const tenon::Holder& self) {
  // Each end waits for the other where it is opened.
  std::optional<StreamReader> reader;
  std::thread opens_the_reader([&] { reader = StreamReader::open(self, "s", {}, never).or_throw(); });
  auto writer = StreamWriter::open(self, "s", {.capacity = 64 << 10}, never).or_throw();
  opens_the_reader.join();
  for (const auto& [bytes, name] : {std::pair{std::size_t{8}, "stream: 8 B, write and read"},
                                    std::pair{std::size_t{64}, "stream: 64 B, write and read"},
                                    std::pair{std::size_t{1024}, "stream: 1 KiB, write and read"}}) {
    std::vector<std::byte> message(bytes);
    paths.count(name, [&] {
      must(writer.write(message, never).has_value() && reader->read(message, never).value_or(0) == bytes);
    });
  }
}

}  // namespace guard
