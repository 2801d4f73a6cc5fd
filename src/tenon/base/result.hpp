#pragma once
/// A value, or the Error that says why there is none.
#include <tenon/base/error.hpp>

#include <expected>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace tenon {

/// What or_throw() throws: for mains, tests and examples. The library itself never throws it.
class Failure : public std::runtime_error {
 public:
  explicit Failure(Error error) : std::runtime_error(error.message()), error_(std::move(error)) {}
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

/// An error on its way into a Result.
using Fail = std::unexpected<Error>;

inline Fail fail(Error error) { return Fail(std::move(error)); }
inline Fail fail(Errc code, const char* call = "") { return Fail(Error(code, call)); }

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
  using Base = std::expected<T, Error>;

 public:
  using Base::Base;
  using Base::operator=;
  Result() = default;

  /// The value; throws Failure if there is none.
  T or_throw() && {
    if (!this->has_value()) {
      throw Failure(std::move(this->error()));
    }
    if constexpr (!std::is_void_v<T>) {
      return std::move(**this);
    }
  }

  /// f(value) if there is one, the error passed on if not. f returns a Result.
  template <class F>
  auto and_then(F&& f) && {
    if constexpr (std::is_void_v<T>) {
      using R = std::invoke_result_t<F>;
      return this->has_value() ? std::invoke(std::forward<F>(f)) : R(Fail(std::move(this->error())));
    } else {
      using R = std::invoke_result_t<F, T&&>;
      return this->has_value() ? std::invoke(std::forward<F>(f), std::move(**this)) : R(Fail(std::move(this->error())));
    }
  }

  /// As and_then, where f returns a plain value or nothing.
  template <class F>
  auto transform(F&& f) && {
    return std::move(*this).and_then([&](auto&&... value) {
      using Value = std::invoke_result_t<F, decltype(value)...>;
      if constexpr (std::is_void_v<Value>) {
        std::invoke(std::forward<F>(f), std::forward<decltype(value)>(value)...);
        return Result<void>();
      } else {
        return Result<Value>(std::invoke(std::forward<F>(f), std::forward<decltype(value)>(value)...));
      }
    });
  }

  /// True if this is an error of that code.
  bool failed_with(Errc code) const noexcept { return !this->has_value() && this->error().code() == code; }
};

}  // namespace tenon
