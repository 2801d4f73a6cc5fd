#pragma once
/// A machine with many objects and processes, for tools that list them to be measured on. namespaces(7)
#include <cstddef>
#include <functional>

namespace inspections {

/// Objects that each process makes, holds and shares with nobody.
inline constexpr std::size_t objects_of_each = 20;

/// Runs `body` where there is nothing else but so many processes and what they hold; returns what `body` does, or
/// something other than 0 if the machine could not be made, which it says on standard error. Needs root.
int in_crowd(std::size_t processes, const std::function<int()>& body);

}  // namespace inspections
