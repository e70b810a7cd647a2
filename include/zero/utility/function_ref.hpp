// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <type_traits>
#include <utility>

namespace zero {

/// The type of a parameter for any function object that can be called as \p Signature, `void(Arguments...)`, says. A
/// function that takes one is compiled once for all objects. It allocates nothing, and a call costs one call through a
/// pointer.
template <class Signature>
class FunctionRef;

/// Refers to the caller's function object, which it neither copies nor owns: a lambda in the call's arguments lives
/// until that call returns, and what keeps a FunctionRef longer must keep the object, too. Trivially copyable; a copy
/// refers to the same object. Never empty. A result of the object is dropped. Used by several threads at a time where
/// the object can be.
template <class... Arguments>
class FunctionRef<void(Arguments...)> {
 public:
  /// Of \p f, borrowed.
  template <class Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, FunctionRef>) FunctionRef(Function&& f)
  noexcept
      : object_(const_cast<void*>(static_cast<void const volatile*>(&f))),
        call_([](void* object, Arguments... arguments) {
          (*static_cast<std::remove_reference_t<Function>*>(object))(std::forward<Arguments>(arguments)...);
        }) {}

  /// Calls the object. \throws what that does.
  void operator()(Arguments... arguments) const { call_(object_, std::forward<Arguments>(arguments)...); }

 private:
  void* object_;
  void (*call_)(void*, Arguments...);
};

}  // namespace zero
