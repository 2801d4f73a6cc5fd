#include "scratch_domain.hpp"

#include <tenon/os/token.hpp>

#include <filesystem>

namespace soak {

namespace fs = std::filesystem;

ScratchDomain::ScratchDomain()
    : domain_(tenon::Domain::open("/dev/shm/tenon-soak-" + tenon::Token::random().hex()).or_throw()) {}

ScratchDomain::~ScratchDomain() {
  std::error_code dropped;
  fs::remove_all(path(), dropped);
}

std::vector<std::string> ScratchDomain::names() const {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(path())) {
    found.push_back(entry.path().filename());
  }
  return found;
}

}  // namespace soak
