#pragma once
/// What the tests of the tools share: running them, and holding their JSON against its documented schema.
#include <scenarios/transfer/command.hpp>

#include <algorithm>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tools {

using nlohmann::json;
using transfer::Command;
using transfer::Finished;

inline Finished run(const std::vector<std::string>& arguments) { return Command(arguments).finish(); }

/// What a command of the shell prints; the test fails if it does not end with 0.
inline std::string printed_by(const std::string& script) {
  const Finished finished = Command::by_shell(script, {}).finish();
  EXPECT_TRUE(finished.status.success()) << script << ": " << finished.errors;
  return finished.output;
}

inline json parsed(const Finished& finished) {
  json value = json::parse(finished.output, nullptr, false);
  EXPECT_FALSE(value.is_discarded()) << finished.output << finished.errors;
  return value;
}

inline bool is_a(const json& value, const std::string& type) {
  return type == "integer" ? value.is_number_integer() : type == value.type_name();
}

/// Every property that a schema names must be there, and none beside; types and enumerations must hold.
inline void expect_schema(const json& value, const json& schema, const std::string& where = "$") {
  if (schema.contains("enum")) {
    EXPECT_TRUE(std::ranges::find(schema["enum"], value) != schema["enum"].end()) << where << ": " << value;
    return;
  }
  const json& type = schema["type"];
  const bool fits = type.is_array() ? std::ranges::any_of(type, [&](const json& one) { return is_a(value, one); })
                                    : is_a(value, type);
  ASSERT_TRUE(fits) << where << " is " << value << ", wanted " << type;
  if (value.is_object() && schema.contains("properties")) {
    EXPECT_EQ(value.size(), schema["properties"].size()) << where << ": " << value;
    for (const auto& [name, property] : schema["properties"].items()) {
      ASSERT_TRUE(value.contains(name)) << where << " lacks " << name;
      expect_schema(value[name], property, where + "." + name);
    }
  }
  for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) {
    expect_schema(value[i], schema["items"], where + "[" + std::to_string(i) + "]");
  }
}

/// docs/schema/NAME.json.
json schema(const std::string& name);

}  // namespace tools
