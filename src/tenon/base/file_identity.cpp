#include <tenon/base/file_identity.hpp>

#include <string>

namespace tenon {

Result<void> check_identity(const FileIdentity& seen, const FileIdentity& known) {
  if (seen.magic != known.magic) {
    return fail(Error(Errc::corrupt).because("it has another magic"));
  }
  if (seen.layout_version != known.layout_version) {
    return fail(Error(Errc::version_mismatch)
                    .because("it has layout version " + std::to_string(seen.layout_version) +
                             ", this program knows version " + std::to_string(known.layout_version)));
  }
  if (seen.mode != known.mode) {
    return fail(Error(Errc::not_supported)
                    .because("it asks for mode " + std::to_string(seen.mode) + ", of which this program knows none"));
  }
  return {};
}

}  // namespace tenon
