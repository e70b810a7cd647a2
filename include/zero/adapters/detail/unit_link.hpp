// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace zero::libtorch::detail {

using ::torch::Tensor;

/// What the units of a module ask of the engine that trains it.
class UnitHost {
 public:
  /// One run of a unit's forward.
  struct Pass {
    std::uint64_t serial = 0;  ///< 0: the parameters are whole anyway
    bool recorded = false;     ///< backward will follow
  };
  virtual Pass enter(std::size_t unit) = 0;
  virtual void leave(std::uint64_t serial) noexcept = 0;
  /// Backward will say when it is through with the unit: an input of it has a gradient.
  virtual void expect_end(std::uint64_t serial) = 0;
  virtual void begin_backward(std::uint64_t serial) = 0;
  virtual void end_backward(std::uint64_t serial) = 0;

 protected:
  ~UnitHost() = default;
};

/// What a unit knows of its engine: shared by both, because either may end first.
struct UnitLink {
  std::weak_ptr<UnitHost> host;
  std::size_t unit = 0;
};

/// What all units are. A copy belongs to no engine.
class UnitBase {
 public:
  UnitBase() : link_(std::make_shared<UnitLink>()) {}
  UnitBase(UnitBase const& /*other*/) : UnitBase() {}
  UnitBase& operator=(UnitBase const& /*other*/) { return *this; }  // NOLINT(bugprone-unhandled-self-assignment)

  [[nodiscard]] std::shared_ptr<UnitLink> const& link() const noexcept { return link_; }

 protected:
  ~UnitBase() = default;

 private:
  std::shared_ptr<UnitLink> link_;
};

/// What owns a node: std::shared_ptr in older torches, c10::intrusive_ptr in newer ones.
using NodePointer = std::remove_cvref_t<decltype(std::declval<::torch::autograd::Edge&>().function)>;

template <class Node, class... Arguments>
[[nodiscard]] NodePointer make_node(Arguments&&... arguments) {
  if constexpr (std::is_same_v<NodePointer, std::shared_ptr<::torch::autograd::Node>>) {
    return std::make_shared<Node>(std::forward<Arguments>(arguments)...);
  } else {
    return ::c10::make_intrusive<Node>(std::forward<Arguments>(arguments)...);
  }
}

/// A point of the graph that backward passes once, with the gradients of all tensors that were passed through it. The
/// C++ frontend has no hooks of modules, and a hook of one tensor would not know of the others.
class Boundary : public ::torch::autograd::Node {
 public:
  Boundary(std::weak_ptr<UnitHost> host, std::uint64_t serial) : host_(std::move(host)), serial_(serial) {}

  /// \p x, so that its gradient comes through \p boundary. Shares memory and version counter with it.
  [[nodiscard]] static Tensor pass(NodePointer const& boundary, Tensor const& x) {
    boundary->add_next_edge(::torch::autograd::impl::gradient_edge(x));
    Tensor passed = x.detach();
    ::torch::autograd::create_gradient_edge(passed, boundary);
    return passed;
  }

 protected:
  [[nodiscard]] std::shared_ptr<UnitHost> host() const {
    auto host = host_.lock();
    if (!host) {
      throw SequenceError(
          "zero::libtorch: backward runs through a unit whose engine has ended: run it before close() "
          "and before the engine's destructor");
    }
    return host;
  }
  [[nodiscard]] std::uint64_t serial() const noexcept { return serial_; }

 private:
  std::weak_ptr<UnitHost> host_;
  std::uint64_t serial_;
};

/// At the outputs of a unit: backward comes to it.
class BackwardBegin final : public Boundary {
 public:
  using Boundary::Boundary;
  ::torch::autograd::variable_list apply(::torch::autograd::variable_list&& gradients) override {
    host()->begin_backward(serial());
    return std::move(gradients);
  }
};

/// At its inputs: backward has gone through all of it. Its number is lower than those of the nodes within the unit, so
/// that autograd, which takes the ready node of the highest number, takes it last.
class BackwardEnd final : public Boundary {
 public:
  using Boundary::Boundary;
  ::torch::autograd::variable_list apply(::torch::autograd::variable_list&& gradients) override {
    host()->end_backward(serial());
    return std::move(gradients);
  }
};

template <class Type>
concept optional_like = requires(Type& value) {
  value.has_value();
  *value;
};
template <class Type>
concept tuple_like = requires {
  std::tuple_size<Type>::value;
};
template <class Type>
concept range_like = requires(Type& value) {
  value.begin();
  value.end();
  typename Type::value_type;
};

/// Whether `for_each_tensor` knows the tensors of a Type.
template <class Type>
struct HoldsTensors : std::false_type {};
template <>
struct HoldsTensors<Tensor> : std::true_type {};
template <optional_like Type>
struct HoldsTensors<Type> : HoldsTensors<std::remove_cvref_t<decltype(*std::declval<Type&>())>> {};
template <class... Type>
struct HoldsTensors<std::tuple<Type...>> : std::bool_constant<(HoldsTensors<Type>::value || ...)> {};
template <class First, class Second>
struct HoldsTensors<std::pair<First, Second>>
    : std::bool_constant<HoldsTensors<First>::value || HoldsTensors<Second>::value> {};
template <range_like Type>
requires(!optional_like<Type>) struct HoldsTensors<Type> : HoldsTensors<typename Type::value_type> {
};

template <class Type, class Function>
void for_each_tensor(Type& value, Function const& f) {
  if constexpr (std::is_same_v<Type, Tensor>) {
    f(value);
  } else if constexpr (!HoldsTensors<Type>::value) {
    return;
  } else if constexpr (optional_like<Type>) {
    if (value.has_value()) for_each_tensor(*value, f);
  } else if constexpr (tuple_like<Type>) {
    std::apply([&](auto&... part) { (for_each_tensor(part, f), ...); }, value);
  } else {
    for (auto& part : value) for_each_tensor(part, f);
  }
}

/// An argument of forward, whose tensors go through \p end. What forward is to change is handed on as it is.
template <class Argument>
decltype(auto) watched(Argument&& argument, NodePointer const& end) {
  using Value = std::remove_cvref_t<Argument>;
  constexpr bool changes = std::is_lvalue_reference_v<Argument> && !std::is_const_v<std::remove_reference_t<Argument>>;
  if constexpr (HoldsTensors<Value>::value && !changes) {
    Value passed(std::forward<Argument>(argument));
    for_each_tensor(passed, [&](Tensor& x) {
      if (x.defined() && x.requires_grad()) x = Boundary::pass(end, x);
    });
    return passed;
  } else {
    return static_cast<Argument&&>(argument);
  }
}

/// Runs \p forward, of \p unit, with its parameters gathered; they are gathered again while backward goes through it.
template <class Forward, class... Arguments>
auto run_unit(UnitBase& unit, Forward const& forward, Arguments&&... arguments) {
  using Result = std::remove_cvref_t<decltype(forward(static_cast<Arguments&&>(arguments)...))>;
  static_assert(HoldsTensors<Result>::value,
                "zero::libtorch::Unit: forward must return a tensor, or a tuple, pair, vector or optional of tensors: "
                "backward begins at them");
  auto const host = unit.link()->host.lock();
  auto const pass = host ? host->enter(unit.link()->unit) : UnitHost::Pass{};
  if (pass.serial == 0) return Result(forward(static_cast<Arguments&&>(arguments)...));
  struct Leave {
    Leave(UnitHost& of, std::uint64_t pass_serial) : host(of), serial(pass_serial) {}
    Leave(Leave const&) = delete;
    ~Leave() { host.leave(serial); }
    UnitHost& host;
    std::uint64_t serial;
  } const leave(*host, pass.serial);
  if (!pass.recorded) return Result(forward(static_cast<Arguments&&>(arguments)...));
  auto const end = make_node<BackwardEnd>(host, pass.serial);
  Result outputs = forward(watched<Arguments>(static_cast<Arguments&&>(arguments), end)...);
  if (end->num_outputs() > 0) host->expect_end(pass.serial);
  auto const begin = make_node<BackwardBegin>(host, pass.serial);
  for_each_tensor(outputs, [&](Tensor& y) {
    if (y.defined() && y.requires_grad()) y = Boundary::pass(begin, y);
  });
  return outputs;
}

}  // namespace zero::libtorch::detail
