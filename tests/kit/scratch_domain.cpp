#include <kit/scratch_domain.hpp>

#include <kit/unique.hpp>
#include <tenon/os/token.hpp>

#include <filesystem>

namespace kit {

namespace fs = std::filesystem;

ScratchDomain::ScratchDomain(std::string_view stem)
    : domain_(
          tenon::Domain::open("/dev/shm/tenon-" + std::string(stem) + "-" + tenon::Token::random().hex()).or_throw()) {}

ScratchDomain::~ScratchDomain() {
  std::error_code dropped;
  fs::remove_all(path(), dropped);
}

std::vector<std::string> ScratchDomain::names() const { return names_in(path()); }

}  // namespace kit
