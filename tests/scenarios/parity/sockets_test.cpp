// ss -xap beside `tenon ls --json`.
#include "told.hpp"

#include <map>

namespace parity {
namespace {

/// One line: "u_str ESTAB 5 0 /run/x 4711 * 4712 users:(("name",pid=1,fd=3),…)".
struct Line {
  std::string type;
  std::string state;
  std::string receive_queue;
  std::string send_queue;
  std::string name;
  std::string inode;
  std::string peer_name;
  std::string peer;
  std::vector<std::string> users = {};  // "name",pid=1,fd=3
};

std::vector<std::string> users_of(const std::string& text) {
  std::vector<std::string> users;
  for (std::size_t at = text.find("(\""); at != std::string::npos; at = text.find("(\"", at + 1)) {
    users.push_back(text.substr(at + 1, text.find(')', at) - at - 1));
  }
  return users;
}

// Connections that nobody has accepted have no inode: who listens tells how many there are.
std::map<std::string, Line> lines_by_inode() {
  std::map<std::string, Line> lines;
  for (const auto& words : words_of("ss -xapnH")) {
    if (words.size() >= 8 && words[5] != "0") {
      lines[words[5]] = {.type = words[0],
                         .state = words[1],
                         .receive_queue = words[2],
                         .send_queue = words[3],
                         .name = words[4],
                         .inode = words[5],
                         .peer_name = words[6],
                         .peer = words[7],
                         .users = words.size() > 8 ? users_of(words[8]) : std::vector<std::string>()};
    }
  }
  return lines;
}

const std::map<std::string, std::string> types = {{"stream", "u_str"}, {"datagram", "u_dgr"}, {"seqpacket", "u_seq"}};
const std::map<std::string, std::string> states = {
    {"connected", "ESTAB"}, {"listening", "LISTEN"}, {"unconnected", "UNCONN"}, {"connecting", "SYN-SENT"}};

std::string number(const json& value) { return value.is_null() ? "0" : std::to_string(value.get<long>()); }

std::string name_text(const json& name) { return name == "" ? "*" : name.get<std::string>(); }

std::vector<std::string> holders_text(const json& all, const json& object) {
  std::vector<std::string> users;
  for (const json& one : object["holders"]) {
    for (const json& descriptor : one["descriptors"]) {
      users.push_back("\"" + process(all, one["pid"].get<long>())["name"].get<std::string>() +
                      "\",pid=" + number(one["pid"]) + ",fd=" + number(descriptor["number"]));
    }
  }
  return users;
}

TEST(ParitySs, tells_of_each_unix_socket_what_ls_tells) {
  on_machine("ss", [](const Machine&) {
    const json all = ls();
    const auto sockets = objects(all, "unix_socket");
    const auto lines = lines_by_inode();
    std::size_t compared = 0;
    for (const json& object : sockets) {
      const json& socket = object["socket"];
      ASSERT_FALSE(socket.is_null()) << object;
      const auto found = lines.find(number(socket["inode"]));
      ASSERT_NE(found, lines.end()) << object;
      const Line& line = found->second;
      EXPECT_EQ(line.type, types.at(socket["type"]));
      EXPECT_EQ(line.state, states.at(socket["state"])) << object;
      EXPECT_EQ(line.receive_queue, number(socket["receive_queue"]));
      EXPECT_EQ(line.send_queue, number(socket["send_queue"]));
      EXPECT_EQ(line.name, name_text(socket["name"]));
      EXPECT_EQ(line.peer, number(socket["peer"]));
      // Some versions of ss print no names of peers.
      const std::string peer_name = socket["peer_name"].is_null() ? "*" : name_text(socket["peer_name"]);
      EXPECT_TRUE(line.peer_name == "*" || line.peer_name == peer_name) << line.peer_name;
      EXPECT_THAT(line.users, testing::UnorderedElementsAreArray(holders_text(all, object)));
      ++compared;
    }
    // So that is looked at here: who is connected to the listener's name has a peer that bears it.
    EXPECT_TRUE(std::ranges::any_of(sockets, [](const json& one) {
      const json& name = one["socket"]["peer_name"];
      return name.is_string() && name.get<std::string>().ends_with("/socket");
    }));
    EXPECT_EQ(compared, lines.size()) << "ss tells of one more";
    EXPECT_EQ(compared, 14U) << "three pairs, two listeners, three ends of connections, two for datagrams, one unbound";
  });
}

}  // namespace
}  // namespace parity
