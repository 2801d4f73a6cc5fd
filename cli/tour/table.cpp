#include <cli/tour/table.hpp>

namespace tenon::cli {

std::span<const TourEntry> tour_table() {
  static const std::vector<TourEntry> table = {
      {.name = "ipc-pipe",
       .mechanism = "pipe",
       .programs = {{.binary = "pipe_example", .prints = {{"Child received: Hello from parent!"}}}}},
      {.name = "pipe-hello",
       .mechanism = "pipe",
       .programs = {{.binary = "pipe-hello",
                     .prints = {{"Parent sent: Hello from parent!", "Child received: Hello from parent!"}}}}},
      {.name = "pipe-full",
       .mechanism = "pipe",
       .programs = {{.binary = "pipe-full",
                     .prints = {{"capacity 65536"}, {"writer blocks"}, {"writer resumes"}, {"EOF"}}}}},
      {.name = "ipc-fifo",
       .mechanism = "fifo",
       .programs = {{.binary = "fifo_example",
                     .arguments = {"{dir}/fifo"},
                     .prints = {{"Received: Hello via FIFO!"}}}}},
      {.name = "fifo_writer",
       .mechanism = "fifo",
       .programs = {{.binary = "fifo_reader",
                     .arguments = {"{dir}/fifo"},
                     .prints = {{"Opening FIFO for reading..."}, {"Received: Message through FIFO"}}},
                    {.binary = "fifo_writer",
                     .arguments = {"{dir}/fifo"},
                     .prints = {{"Opening FIFO for writing..."}}}}},
      {.name = "fifo-hello",
       .mechanism = "fifo",
       .programs = {{.binary = "fifo-hello-writer",
                     .arguments = {"{dir}/fifo"},
                     .prints = {{"Writer: Sent 'Hello through FIFO!'"}}},
                    {.binary = "fifo-hello-reader",
                     .arguments = {"{dir}/fifo"},
                     .prints = {{"Reader: Received 'Hello through FIFO!'"}}}}},
      {.name = "fifo-duplex",
       .mechanism = "fifo",
       .programs = {{.binary = "fifo-duplex", .arguments = {"{dir}/fifo"}, .prints = {{"ping"}, {"pong"}}}}},
      {.name = "fifo-nonblock",
       .mechanism = "fifo",
       .programs = {{.binary = "fifo-nonblock", .arguments = {"{dir}/fifo"}, .prints = {{"no reader"}}}}},
  };
  return table;
}

}  // namespace tenon::cli
