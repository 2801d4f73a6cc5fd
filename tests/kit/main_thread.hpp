#pragma once
/// A process whose main thread has ended while another one goes on: /proc/self/fd is empty there. proc(5)
#include <functional>

namespace kit {

/// Runs `body` in the only thread that is left of a child, whose failed expectations and exceptions fail the test.
void without_main_thread(const std::function<void()>& body);

}  // namespace kit
