// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <type_traits>

namespace zero::detail {

template <class Signature>
class FunctionRef;

/// A function object of the caller's, borrowed for one call: whoever takes one is compiled once for all of them.
template <class... Arguments>
class FunctionRef<void(Arguments...)> {
 public:
  template <class Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, FunctionRef>) FunctionRef(Function&& f)
  noexcept
      : object_(const_cast<void*>(static_cast<void const volatile*>(&f))),
        call_([](void* object, Arguments... arguments) {
          (*static_cast<std::remove_reference_t<Function>*>(object))(arguments...);
        }) {}

  void operator()(Arguments... arguments) const { call_(object_, arguments...); }

 private:
  void* object_;
  void (*call_)(void*, Arguments...);
};

}  // namespace zero::detail
