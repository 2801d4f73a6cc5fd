#include <tenon/memory/type_description.hpp>

#include <tenon/base/name.hpp>

namespace tenon {

std::string TypeDescription::text() const {
  return escaped(name) + " (" + std::to_string(size) + " bytes, aligned to " + std::to_string(alignment) + ")";
}

}  // namespace tenon
