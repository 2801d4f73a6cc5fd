#include <cli/tour/table.hpp>

#include <map>

namespace tenon::cli {

namespace {

// Whoever is in the critical section leaves it before anybody else comes in, and each counts its turns from 0.
bool never_interleaved(const std::vector<std::string>& lines) {
  std::map<std::string, int> turns;
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
    const std::string who = lines[i].substr(0, lines[i].find(' '));
    const std::string turn = std::to_string(turns[who]++);
    if (lines[i] != who + " in critical section " + turn || lines[i + 1] != who + " leaving critical section " + turn) {
      return false;
    }
  }
  return true;
}

}  // namespace

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
      {.name = "ipc-posix-semaphore",
       .mechanism = "posix_semaphore",
       .programs = {{.binary = "posix_semaphore_example",
                     .prints = {{"Parent: waiting for signal...", "Child: doing work..."},
                                {"Child: signaling parent"},
                                {"Parent: received signal!"}}}}},
      {.name = "semaphore-exclusion",
       .mechanism = "posix_semaphore",
       .programs = {{.binary = "semaphore-exclusion", .prints = {{"never over 1"}}}}},
      {.name = "semaphore-counting",
       .mechanism = "posix_semaphore",
       .programs = {{.binary = "semaphore-counting", .prints = {{"never over 3"}}}}},
      {.name = "semaphore-unnamed",
       .mechanism = "posix_semaphore",
       .programs = {{.binary = "semaphore-unnamed", .prints = {{"signaled through shared memory"}}}}},
      {.name = "sysv-semaphore",
       .mechanism = "sysv_semaphore",
       .programs = {{.binary = "sysv_semaphore_example",
                     .prints = {{
                         "Child in critical section 0",  "Child leaving critical section 0",
                         "Child in critical section 1",  "Child leaving critical section 1",
                         "Child in critical section 2",  "Child leaving critical section 2",
                         "Child in critical section 3",  "Child leaving critical section 3",
                         "Child in critical section 4",  "Child leaving critical section 4",
                         "Parent in critical section 0", "Parent leaving critical section 0",
                         "Parent in critical section 1", "Parent leaving critical section 1",
                         "Parent in critical section 2", "Parent leaving critical section 2",
                         "Parent in critical section 3", "Parent leaving critical section 3",
                         "Parent in critical section 4", "Parent leaving critical section 4",
                     }},
                     .holds = never_interleaved}}},
      {.name = "sysv-producer-consumer",
       .mechanism = "sysv_semaphore",
       .programs = {{.binary = "sysv-producer-consumer",
                     .prints = {{"Producer: wrote 0"},  {"Consumer: read 0"},   {"Producer: wrote 10"},
                                {"Consumer: read 10"},  {"Producer: wrote 20"}, {"Consumer: read 20"},
                                {"Producer: wrote 30"}, {"Consumer: read 30"},  {"Producer: wrote 40"},
                                {"Consumer: read 40"},  {"Producer: wrote 50"}, {"Consumer: read 50"},
                                {"Producer: wrote 60"}, {"Consumer: read 60"},  {"Producer: wrote 70"},
                                {"Consumer: read 70"},  {"Producer: wrote 80"}, {"Consumer: read 80"},
                                {"Producer: wrote 90"}, {"Consumer: read 90"}}}}},
      {.name = "deadlock",
       .mechanism = "sysv_semaphore",
       .programs = {{.binary = "deadlock",
                     .prints = {{"WRONG: opposite orders, each waits for the other until one gives up"},
                                {"CORRECT: one order for all, both go on"},
                                {"CORRECT: both in one operation, both go on"}}}}},
      {.name = "ipc-posix-shm",
       .mechanism = "posix_memory",
       .programs = {{.binary = "posix_memory_example", .prints = {{"Parent read: Hello from child process!"}}}}},
      {.name = "shm-persists",
       .mechanism = "posix_memory",
       .programs = {{.binary = "shm-persists", .prints = {{"value read after writer's exit"}}}}},
      {.name = "shm-mutex",
       .mechanism = "posix_memory",
       .programs = {{.binary = "shm-mutex", .prints = {{"counter exact"}, {"owner's death reported"}}}}},
      {.name = "ipc-sysv-shm",
       .mechanism = "sysv_memory",
       .programs = {{.binary = "sysv_memory_example", .prints = {{"Parent read: Hello from child (System V)!"}}}}},
      {.name = "sysv-shm-writer",
       .mechanism = "sysv_memory",
       .programs = {{.binary = "sysv-shm-reader",
                     .arguments = {"{dir}"},
                     .prints = {{"Reader: counter=42, message='Hello from writer!'"}}},
                    {.binary = "sysv-shm-writer",
                     .arguments = {"{dir}"},
                     .prints = {{"Writer: counter=42, message='Hello from writer!'"}, {"Press Enter to detach..."}}}}},
      {.name = "process-isolation",
       .mechanism = "memory",
       .programs = {{.binary = "process-isolation", .prints = {{"private variable unchanged"}, {"shared changed"}}}}},
      {.name = "leak",
       .mechanism = "sysv_memory",
       .programs = {{.binary = "leak",
                     .prints = {{"WRONG: the segment is still there"}, {"CORRECT: nothing is left"}}}}},
      {.name = "race",
       .mechanism = "sysv_semaphore",
       .programs = {{.binary = "race",
                     .prints = {{"WRONG: 2 additions, counter 1"}, {"CORRECT: 2000 additions, counter 2000"}}}}},
      {.name = "error-handling",
       .mechanism = "all",
       .programs = {{.binary = "error-handling",
                     .arguments = {"{dir}/fifo"},
                     .prints = {{"open(\"/dev/shm/sem.nobody-made-this\"): not found"}},
                     .exits_with = 1,
                     .errors_too = true}}},
  };
  return table;
}

}  // namespace tenon::cli
