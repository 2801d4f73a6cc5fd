#pragma once
/// What `tenon ls --json` tells, and what the other tools print, ready to be held against each other.
#include "machine.hpp"

#include <scenarios/tools/fixture.hpp>

#include <optional>
#include <string>
#include <vector>

namespace parity {

using tools::json;

/// What it prints in the machine, held against its schema. FIFOs are looked for where they are open.
json ls();
/// What a command prints, as JSON.
json json_of(const std::string& command);
/// The lines that a command prints, each divided at blanks.
std::vector<std::vector<std::string>> words_of(const std::string& command);

/// The objects of a kind.
std::vector<json> objects(const json& all, const std::string& kind);
/// The holder of an object, of that process and relation; null if there is none.
json holder(const json& object, long pid, const std::string& relation);
/// The process of that id; null if there is none.
json process(const json& all, long pid);

std::string user_name(const json& uid);
std::string group_name(const json& gid);
/// "2026-11-22T19:33:11+00:00"; null stays null.
json iso_time(const json& seconds);
/// The number at that key of an object's times; null if it is not there.
json time_of(const json& object, const char* name);

}  // namespace parity
