#include <tenon/base/contract.hpp>

#include <cstdio>
#include <cstdlib>

namespace tenon {

void broken_contract(const char* sentence, std::source_location where) noexcept {
  std::fprintf(stderr, "%s:%u: broken contract: %s\n", where.file_name(), where.line(), sentence);
  std::abort();
}

}  // namespace tenon
