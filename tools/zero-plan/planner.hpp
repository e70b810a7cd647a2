// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engines.hpp"

#include <zero/engine/micro_batch_sequence.hpp>
#include <zero/precision.hpp>
#include <zero/simulation/plan.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace zero_plan {

/// Types that a trainer chooses at run time. FP16 brings DynamicScale, as it needs a loss scale.
struct Types {
  zero::ElementType compute = zero::ElementType::bf16;
  zero::ElementType sum = zero::ElementType::fp32;
};

/// What one row of a plan is made of: the settings of an engine, by the names that EngineConfig gives them. One that is
/// forgotten here does not compile, because `config_of` asks for each.
struct Settings {
  zero::PlanSettings plan{};
  Types types{};
  std::optional<int> gradient_accumulation_steps{};
  std::optional<int> micro_batches_per_step{};
  bool allow_idle_ranks = false;
  double gradient_clipping = 0.0;
  int max_skipped_steps = 0;
  std::optional<zero::Reduce> reduce{};
  std::optional<std::size_t> bucket_elements{};
  std::size_t alignment_elements = 128;
  std::optional<int> gradient_ring{};
  zero::MissingGradient missing_gradient = zero::MissingGradient::error;
  std::size_t max_live_elements = 0;
  int prefetch_units = 1;
  std::size_t persistence_threshold = 0;
};

/// Micro-batches that every rank begins in a step, the last of which the last ranks may not have.
[[nodiscard]] inline int rounds(Settings const& settings) {
  int const each = settings.gradient_accumulation_steps.value_or(1);
  if (!settings.micro_batches_per_step) return each;
  return zero::detail::MicroBatchSequence(*settings.micro_batches_per_step, settings.plan.world, 0).rounds();
}

/// Calls `f(precision)` with the policy of \p types. \throws zero::ConfigurationError for types that no engine here
/// has.
template <class F>
decltype(auto) with_precision(Types types, F&& f) {
  using zero::ElementType;
  bool const wide = types.sum == ElementType::fp32;
  bool const narrow = types.sum == ElementType::bf16;
  if (types.compute == ElementType::fp32 && wide) return f(FP32Prec{});
  if (types.compute == ElementType::bf16 && wide) return f(BF16Prec{});
  if (types.compute == ElementType::bf16 && narrow) return f(BF16Sums{});
  if (types.compute == ElementType::fp16 && wide) return f(FP16Prec{});
  if (types.compute == ElementType::fp16 && narrow) return f(FP16Sums{});
  throw zero::ConfigurationError(
      zero::detail::concat({"no engine here computes in ", name(types.compute), " and sums in ", name(types.sum),
                            ": 16-bit types sum in fp32 or bf16, fp32 in fp32"}));
}

/// The engine's configuration for \p settings.
template <class Prec>
[[nodiscard]] typename EngineOf<Prec>::Config config_of(Settings const& settings) {
  typename EngineOf<Prec>::Config config;
  auto const copy = [](std::string_view, auto& to, auto const& from) { to = from; };
  zero::for_each_setting(copy, config, settings);
  return config;
}

/// Plans one step with AdamW. \throws as zero::plan_step.
[[nodiscard]] zero::Plan plan(zero::ParameterList const& parameters, Settings const& settings);

}  // namespace zero_plan
