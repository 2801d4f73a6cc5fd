#include "opened.hpp"

#include "told.hpp"

#include <map>
#include <sstream>
#include <sys/sysmacros.h>

namespace parity {

namespace {

const std::map<char, std::string> lsof_access = {{'r', "r"}, {'w', "w"}, {'u', "rw"}, {' ', ""}};

}  // namespace

// "p17\nf3\nar\n…": each field a line, by its first character.
std::vector<Opened> lsof(const Machine& machine) {
  std::vector<Opened> all;
  std::istringstream text(tools::printed_by("lsof -nP -p " + machine.list() + " +fG -F pfaltDdsinkoGT 2>/dev/null"));
  long pid = 0;
  for (std::string line; std::getline(text, line);) {
    const std::string rest = line.empty() ? "" : line.substr(1);
    Opened* const last = all.empty() ? nullptr : &all.back();
    switch (line.empty() ? '\0' : line[0]) {
      case 'p':
        pid = std::stol(rest);
        break;
      case 'f':
        all.push_back({.pid = pid,
                       .descriptor = rest,
                       .access = "",
                       .type = "",
                       .device = {},
                       .inode = 0,
                       .size = {},
                       .name = "",
                       .lock = ' '});
        break;
      case 'a':
        last->access = lsof_access.at(rest.empty() ? ' ' : rest[0]);
        break;
      case 'l':
        last->lock = rest.empty() ? ' ' : rest[0];
        break;
      case 't':
        last->type = rest;
        break;
      case 'D':
        last->device = std::stoull(rest, nullptr, 16);
        break;
      case 's':
        last->size = std::stoull(rest);
        break;
      case 'i':
        last->inode = std::stoull(rest);
        break;
      case 'n':
        last->name = rest;
        break;
      case 'd':
        last->address = rest;
        break;
      case 'k':
        last->links = std::stoull(rest);
        break;
      case 'o':
        last->position = std::stoull(rest.substr(2), nullptr, rest.starts_with("0t") ? 10 : 16);
        break;
      case 'G':
        last->flags = std::stoull(rest, nullptr, 16);
        break;
      case 'T':
        last->state = rest.starts_with("ST=") ? rest.substr(3) : last->state;
        break;
      default:
        break;
    }
  }
  return all;
}

std::vector<Opened> lsfd(const Machine& machine) {
  std::vector<Opened> all;
  const json rows = json_of(
      "lsfd -J -p " + machine.list() + " " +
      "-o PID,ASSOC,MODE,TYPE,MAJ:MIN,INODE,SIZE,NAME,FLAGS,POS,MNTID,MAPLEN,NLINK,DELETED,FUID,PROTONAME")["lsfd"];
  for (const json& row : rows) {
    const std::string mode = row["mode"];
    const std::string device = row["maj:min"];
    const std::size_t colon = device.find(':');
    const bool numbers = device.find_first_not_of("0123456789:") == std::string::npos;
    all.push_back({.pid = row["pid"],
                   .descriptor = row["assoc"],
                   .access = std::string(mode[0] == 'r' ? "r" : "") + (mode[1] == 'w' ? "w" : ""),
                   .type = row["type"],
                   .device = numbers ? std::optional<std::uint64_t>(
                                           makedev(static_cast<unsigned>(std::stoul(device.substr(0, colon))),
                                                   static_cast<unsigned>(std::stoul(device.substr(colon + 1)))))
                                     : std::nullopt,
                   .inode = row["inode"],
                   .size = row["size"].is_null() ? std::nullopt : std::optional<std::uint64_t>(row["size"]),
                   .name = row["name"],
                   .lock = ' ',
                   .flag_names = row["flags"].is_null() ? "" : row["flags"].get<std::string>(),
                   .position = row["pos"],
                   .links = row["nlink"],
                   .mount = row["mntid"],
                   .pages = row["maplen"].is_null() ? 0 : row["maplen"].get<std::uint64_t>(),
                   .owner = row["fuid"],
                   .protocol = row["protoname"].is_null() ? "" : row["protoname"].get<std::string>(),
                   .deleted = row["deleted"]});
  }
  return all;
}

}  // namespace parity
