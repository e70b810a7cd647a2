// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/unit_link.hpp>

#include <torch/torch.h>

#include <type_traits>
#include <utility>

namespace zero::libtorch {

/// \p Impl, a module, as a unit of stage 3: its parameters are gathered when its forward begins, and again when
/// backward comes to it. It has the constructors, the forward and the names in a state_dict of \p Impl, and is \p Impl
/// where no engine at stage 3 trains it. Within a unit, units are gathered by themselves.
///
/// Gathers happen in `forward` of the unit itself: whoever calls forward of what is in it finds sharded parameters,
/// which is an error. Default arguments of forward are to be given. An \p Impl whose forward is overloaded or a
/// template takes any arguments.
template <class Impl, class Forward = void>
class Unit;

namespace detail {
template <class Impl, class Function>
class UnitOf;
template <class Impl, class Of, class Result, class... Arguments>
class UnitOf<Impl, Result (Of::*)(Arguments...)> : public Impl, public UnitBase {
 public:
  using Impl::Impl;
  std::remove_cvref_t<Result> forward(Arguments... arguments) {
    return run_unit(
        *this, [this](auto&&... x) -> decltype(auto) { return this->Impl::forward(std::forward<decltype(x)>(x)...); },
        std::forward<Arguments>(arguments)...);
  }
};
template <class Impl, class Of, class Result, class... Arguments>
class UnitOf<Impl, Result (Of::*)(Arguments...) const> : public UnitOf<Impl, Result (Of::*)(Arguments...)> {
 public:
  using UnitOf<Impl, Result (Of::*)(Arguments...)>::UnitOf;
};
template <class Impl>
class AnyUnit : public Impl, public UnitBase {
 public:
  using Impl::Impl;
  template <class... Arguments>
  auto forward(Arguments&&... arguments) {
    return run_unit(
        *this, [this](auto&&... x) -> decltype(auto) { return this->Impl::forward(std::forward<decltype(x)>(x)...); },
        std::forward<Arguments>(arguments)...);
  }
};
}  // namespace detail

/// Of an Impl with one forward.
template <class Impl>
requires(requires { &Impl::forward; }) class Unit<Impl, void> final
    : public detail::UnitOf<Impl, decltype(&Impl::forward)> {
 public:
  using detail::UnitOf<Impl, decltype(&Impl::forward)>::UnitOf;
};
/// Of one with several, such as torch::nn::Sequential.
template <class Impl>
requires(!requires { &Impl::forward; }) class Unit<Impl, void> final : public detail::AnyUnit<Impl> {
 public:
  using detail::AnyUnit<Impl>::AnyUnit;
};

/// Stands in place of TORCH_MODULE(Name): Name is the holder of a unit.
#define ZERO_TORCH_UNIT(Name)                                                                      \
  class Name : public ::torch::nn::ModuleHolder<::zero::libtorch::Unit<Name##Impl>> { /* NOLINT */ \
   public:                                                                                         \
    using ::torch::nn::ModuleHolder<::zero::libtorch::Unit<Name##Impl>>::ModuleHolder;             \
    using Impl = ::zero::libtorch::Unit<Name##Impl>;                                               \
  }

}  // namespace zero::libtorch
