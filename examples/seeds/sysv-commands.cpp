/// A child leaves System V objects behind, as the documents' programs do when they fail; `ipcs` and `ipcrm` show and
/// remove them, and so do `tenon ls` and `tenon rm`, row by row. ipcs(1), ipcrm(1)
#include "text.hpp"

#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/os/process.hpp>

#include <array>
#include <fcntl.h>
#include <sstream>
#include <string>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>
#include <vector>

using namespace tenon;

namespace {

struct Sort {
  const char* letter;  // of ipcs and ipcrm
  const char* kind;    // of tenon
  int (*make)();
};

constexpr std::array sorts = {
    Sort{.letter = "m", .kind = "sysv_memory", .make = [] { return ::shmget(IPC_PRIVATE, 4096, 0600); }},
    Sort{.letter = "s", .kind = "sysv_semaphore", .make = [] { return ::semget(IPC_PRIVATE, 3, 0640); }},
    Sort{.letter = "q", .kind = "sysv_queue", .make = [] { return ::msgget(IPC_PRIVATE, 0604); }},
};

constexpr std::size_t copies = 2;  // one for each way of removing
using Ids = std::array<int, sorts.size() * copies>;

struct Ran {
  std::string output;
  bool success;
};

Ran run(const std::string& program, const std::vector<std::string>& arguments) {
  Pipe pipe = Pipe::pair().or_throw();
  // What a user without privilege cannot see is said there, and is not the subject here.
  const Fd nowhere = fd_from(::open("/dev/null", O_WRONLY | O_CLOEXEC), "open").or_throw();
  Child child = spawn_program(program, arguments,
                              {.descriptors = {{pipe.writer.fd(), STDOUT_FILENO}, {nowhere.view(), STDERR_FILENO}}})
                    .or_throw();
  ReadEnd reader = std::move(pipe).into_reader();
  Ran ran{};
  std::array<std::byte, 4096> part;
  while (const std::size_t got = reader.read(part, seeds::soon()).or_throw()) {
    ran.output += text_of(Bytes(part).first(got));
  }
  ran.success = child.wait(seeds::soon()).or_throw().success();
  return ran;
}

// The other process: it makes two of each and ends without removing them.
Ids made_by_a_child() {
  Pipe pipe = Pipe::pair().or_throw();
  Child child = spawn([&] {
                  Ids ids{};
                  for (std::size_t i = 0; i < ids.size(); ++i) {
                    ids[i] = sorts[i / copies].make();
                  }
                  WriteEnd writer = std::move(pipe).into_writer();
                  writer.write(std::as_bytes(std::span(ids)), seeds::soon()).or_throw();
                  return 0;
                }).or_throw();
  ReadEnd reader = std::move(pipe).into_reader();
  Ids ids{};
  const auto room = std::as_writable_bytes(std::span(ids));
  std::size_t got = 0;
  while (const std::size_t more = got < room.size() ? reader.read(room.subspan(got), seeds::soon()).or_throw() : 0) {
    got += more;
  }
  if (got != room.size() || !child.wait(seeds::soon()).or_throw().success()) {
    throw Failure(Error(Errc::closed, "read").because("the child made no objects"));
  }
  return ids;
}

// "key owner mode" of the row with this identifier, "" if there is none. ipcs: key, id, owner, mode; tenon: kind, key,
// #id, owner, mode.
std::string row_of(const std::string& listing, int id, bool tenon) {
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string kind;
    std::string key;
    std::string number;
    std::string owner;
    std::string mode;
    if (tenon) {
      fields >> kind;
    }
    fields >> key >> number >> owner >> mode;
    if (number == (tenon ? "#" : "") + std::to_string(id)) {
      return key + " " + owner + " " + (tenon ? mode.substr(1) : mode);
    }
  }
  return "";
}

bool compare(const Sort& sort, std::span<const int> ids, const std::string& tenon) {
  const std::string theirs = run("ipcs", {std::string("-") + sort.letter}).output;
  const std::string ours = run(tenon, {"ls", "--mechanism", sort.kind}).output;
  for (const int id : ids) {
    const std::string row = row_of(theirs, id, false);
    if (row.empty() || row != row_of(ours, id, true)) {
      std::fprintf(stderr, "ipcs: \"%s\", tenon ls: \"%s\"\n", row.c_str(), row_of(ours, id, true).c_str());
      return false;
    }
  }
  return true;
}

bool remove(const Sort& sort, std::span<const int> ids, const std::string& tenon) {
  return run("ipcrm", {std::string("-") + sort.letter, std::to_string(ids[0])}).success &&
         run(tenon, {"rm", std::string(sort.kind) + ":#" + std::to_string(ids[1])}).success;
}

bool is_left(const Sort& sort, std::span<const int> ids, const std::string& tenon) {
  const std::string listing = run(tenon, {"ls", "--mechanism", sort.kind}).output;
  return !row_of(listing, ids[0], true).empty() || !row_of(listing, ids[1], true).empty();
}

/// Whatever goes wrong, nothing of this program stays.
struct Removal {
  const Ids& ids;
  ~Removal() {
    for (std::size_t i = 0; i < copies; ++i) {
      ::shmctl(ids[i], IPC_RMID, nullptr);
      ::semctl(ids[copies + i], 0, IPC_RMID);
      ::msgctl(ids[2 * copies + i], IPC_RMID, nullptr);
    }
  }
};

int compare_all(const std::string& tenon) {
  const Ids ids = made_by_a_child();
  const Removal removal{.ids = ids};
  const auto of = [&](std::size_t i) { return std::span(ids).subspan(i * copies, copies); };
  for (std::size_t i = 0; i < sorts.size(); ++i) {
    if (!compare(sorts[i], of(i), tenon)) {
      return 1;
    }
    seeds::say(std::string("ipcs -") + sorts[i].letter + ": as tenon ls");
  }
  for (std::size_t i = 0; i < sorts.size(); ++i) {
    if (!remove(sorts[i], of(i), tenon)) {
      return 1;
    }
  }
  seeds::say("ipcrm -m, -s, -q: as tenon rm");
  for (std::size_t i = 0; i < sorts.size(); ++i) {
    if (is_left(sorts[i], of(i), tenon)) {
      return 1;
    }
  }
  seeds::say("nothing left");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s TENON   the command line to compare with\n", argv[0]);
    return 2;
  }
  return seeds::run([&] { return compare_all(argv[1]); });
}
