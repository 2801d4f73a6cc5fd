#include <kit/patience.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace kit {

namespace {

#if !defined(__has_feature)
#define __has_feature(name) 0  // GCC has macros of its own instead
#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
constexpr Sanitizer built_with = Sanitizer::thread;
#elif defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr Sanitizer built_with = Sanitizer::address;
#else
constexpr Sanitizer built_with = Sanitizer::none;
#endif

// Valgrind preloads its own library into the program it runs; its header is not asked for, since not every machine
// that builds the tests has it.
bool under_valgrind() noexcept {
  const char* preloaded = std::getenv("LD_PRELOAD");
  return preloaded != nullptr && std::strstr(preloaded, "vgpreload") != nullptr;
}

int measured_slowness() noexcept {
  const char* asked = std::getenv("TENON_PATIENCE");
  const int factor = asked == nullptr ? 1 : std::clamp(std::atoi(asked), 1, 1000);
  return factor * (under_valgrind() ? 30 : built_with == Sanitizer::none ? 1 : 5);
}

}  // namespace

Sanitizer sanitizer() noexcept { return built_with; }

int slowness() noexcept {
  static const int factor = measured_slowness();
  return factor;
}

}  // namespace kit
