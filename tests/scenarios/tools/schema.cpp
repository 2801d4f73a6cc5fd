#include "fixture.hpp"

#include <fstream>

namespace tools {

json schema(const std::string& name) {
  std::ifstream file(std::string(TENON_DOCS) + "/schema/" + name + ".json");
  return json::parse(file);
}

}  // namespace tools
