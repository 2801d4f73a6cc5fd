#pragma once
/// What a process shares with the children that it forks later: one object, or bytes.
#include <tenon/os/mapping.hpp>

#include <new>
#include <type_traits>

namespace kit {

/// Made in place from zeroed memory; its destructor does not run, since children may still use it.
template <class T>
  requires std::is_trivially_destructible_v<T>
class Shared {
 public:
  Shared() : memory_(tenon::Mapping::shared_with_children(sizeof(T)).or_throw()), object_(new(memory_.data()) T()) {}

  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  tenon::MutableBytes bytes() const noexcept { return memory_.bytes(); }

 private:
  tenon::Mapping memory_;
  T* object_;
};

/// Zeroed, and mapped at a page.
class SharedBytes {
 public:
  explicit SharedBytes(std::size_t size) : memory_(tenon::Mapping::shared_with_children(size).or_throw()) {}
  tenon::MutableBytes bytes() const noexcept { return memory_.bytes(); }
  std::byte* data() const noexcept { return memory_.data(); }

 private:
  tenon::Mapping memory_;
};

}  // namespace kit
