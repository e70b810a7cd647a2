// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/loss_scaler.hpp>
#include <zero/optimizer.hpp>
#include <zero/precision.hpp>

#include <string_view>
#include <type_traits>
#include <variant>

namespace zero::config {

/// The settings of one rule, which also say which rule it is.
using RuleChoice = std::variant<AdamW::Config, Adam::Config, Sgd::Config, Lion::Config, Adagrad::Config>;

/// The settings of one loss scaler, which also say which it is.
using ScaleChoice = std::variant<NoScale::Config, StaticScale::Config, DynamicScale::Config>;

/// What the arguments of `Precision` are to be.
struct PrecisionChoice {
  ElementType compute = ElementType::fp32;  ///< of parameters and gradients
  ScaleChoice scale{};                      ///< of the loss
  ElementType sum = ElementType::fp32;      ///< in which gradients are summed and kept
};

/// The rules that a program can train with, for Settings::visit.
template <class... Rule>
struct Rules {};

/// The types that a program can train in, for Settings::visit: FP32, BF16, FP16 (with a static and a dynamic loss
/// scale), or Precision<...> with all of its arguments.
template <class... Type>
struct Types {};

/// What a visitor gets: the rule that was chosen.
template <class Rule>
struct ChosenRule {
  using rule = Rule;             ///< for Optimizer
  typename Rule::Config config;  ///< for EngineConfig::optimizer
};

/// What a visitor gets: the precision that was chosen.
template <class Prec>
struct ChosenPrecision {
  using precision = Prec;              ///< for Engine
  typename Prec::scale::Config scale;  ///< for EngineConfig::scale
};

/// Name of the rule that was chosen.
[[nodiscard]] inline std::string_view name(RuleChoice const& choice) {
  static constexpr std::string_view names[] = {"AdamW", "Adam", "SGD", "Lion", "Adagrad"};
  return names[choice.index()];
}

namespace detail {

template <class... Precisions>
struct PrecisionList {};

template <class Type>
struct PrecisionsOf {
  using list = PrecisionList<Precision<Type>>;
};
template <>
struct PrecisionsOf<FP16> {
  using list = PrecisionList<Precision<FP16, DynamicScale>, Precision<FP16, StaticScale>>;
};
template <class Compute, class Scale, class Sum>
struct PrecisionsOf<Precision<Compute, Scale, Sum>> {
  using list = PrecisionList<Precision<Compute, Scale, Sum>>;
};

/// Whether \p choice is \p Prec.
template <class Prec>
[[nodiscard]] bool is_precision(PrecisionChoice const& choice) {
  return choice.compute == Prec::compute::element && choice.sum == Prec::sum::element &&
         std::holds_alternative<typename Prec::scale::Config>(choice.scale);
}

}  // namespace detail
}  // namespace zero::config
