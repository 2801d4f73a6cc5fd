#include <kit/guarded_run.hpp>

#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>

#include <csignal>
#include <cstring>
#include <exception>
#include <string_view>

namespace kit {

namespace {

constexpr std::size_t story_bytes = 1024;

int run_and_note(const std::function<void()>& body, char* story) {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    const std::string_view what = error.what();
    story[what.copy(story, story_bytes - 1)] = '\0';
    return 1;
  }
}

}  // namespace

GuardedRun run_guarded(const std::function<void()>& body, Duration limit) {
  const auto memory = tenon::Mapping::shared_with_children(story_bytes).or_throw();
  char* story = reinterpret_cast<char*>(memory.data());
  auto child = tenon::spawn([&] { return run_and_note(body, story); }).or_throw();
  const auto ended = child.wait(tenon::after(patient(limit)));
  if (!ended) {
    (void)child.signal(SIGKILL);
    (void)child.wait(tenon::never);
    return {.end = GuardedRun::End::hung, .story = "it did not end in time"};
  }
  if (ended->success()) {
    return {};
  }
  return {.end = GuardedRun::End::failed, .story = *story != '\0' ? story : ended->message()};
}

}  // namespace kit
