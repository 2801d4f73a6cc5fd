#include "told.hpp"

#include <array>
#include <ctime>
#include <grp.h>
#include <pwd.h>
#include <sstream>

namespace parity {

json ls() {
  json all = tools::parsed(tools::run({"ls", "--json"}));
  tools::expect_schema(all, tools::schema("ls"));
  return all;
}

json json_of(const std::string& command) {
  const std::string text = tools::printed_by(command);
  json value = json::parse(text, nullptr, false);
  EXPECT_FALSE(value.is_discarded()) << text;
  return value;
}

std::vector<std::vector<std::string>> words_of(const std::string& command) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream text(tools::printed_by(command));
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    lines.emplace_back();
    for (std::string word; words >> word;) {
      lines.back().push_back(word);
    }
  }
  return lines;
}

std::vector<json> objects(const json& all, const std::string& kind) {
  std::vector<json> found;
  for (const json& object : all["objects"]) {
    if (object["kind"] == kind) {
      found.push_back(object);
    }
  }
  return found;
}

json holder(const json& object, long pid, const std::string& relation) {
  for (const json& one : object["holders"]) {
    if (one["pid"] == pid && one["relation"] == relation) {
      return one;
    }
  }
  return nullptr;
}

json process(const json& all, long pid) {
  for (const json& one : all["processes"]) {
    if (one["pid"] == pid) {
      return one;
    }
  }
  return nullptr;
}

std::string user_name(const json& uid) {
  const passwd* const entry = ::getpwuid(uid.get<uid_t>());
  return entry != nullptr ? entry->pw_name : std::to_string(uid.get<uid_t>());
}

std::string group_name(const json& gid) {
  const group* const entry = ::getgrgid(gid.get<gid_t>());
  return entry != nullptr ? entry->gr_name : std::to_string(gid.get<gid_t>());
}

json iso_time(const json& seconds) {
  if (seconds.is_null()) {
    return nullptr;
  }
  const auto moment = seconds.get<time_t>();
  tm parts{};
  ::gmtime_r(&moment, &parts);
  std::array<char, 64> text{};
  ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S+00:00", &parts);
  return text.data();
}

json time_of(const json& object, const char* name) {
  return object["times"].contains(name) ? object["times"][name] : json(nullptr);
}

}  // namespace parity
