// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engines.hpp"

#include <zero/precision.hpp>
#include <zero/simulation/plan.hpp>

#include <cstddef>
#include <optional>

namespace zero_plan {

/// Types that a trainer chooses at run time. FP16 brings DynamicScale, as it needs a loss scale.
struct Types {
  zero::ElementType compute = zero::ElementType::bf16;
  zero::ElementType sum = zero::ElementType::fp32;
};

/// The engine's settings that change its memory or traffic, by the names that EngineConfig gives them.
struct Settings {
  zero::PlanSettings plan{};
  Types types{};
  int gradient_accumulation_steps = 1;
  std::optional<zero::Reduce> reduce{};
  std::optional<std::size_t> bucket_elements{};
  std::size_t alignment_elements = 128;
  std::optional<int> gradient_ring{};
  std::size_t max_live_elements = 0;
  int prefetch_units = 1;
  std::size_t persistence_threshold = 0;
};

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

/// The engine's configuration for \p settings; what they do not name does not change memory or traffic.
template <class Prec>
[[nodiscard]] typename EngineOf<Prec>::Config config_of(Settings const& settings) {
  return {.gradient_accumulation_steps = settings.gradient_accumulation_steps,
          .reduce = settings.reduce,
          .bucket_elements = settings.bucket_elements,
          .alignment_elements = settings.alignment_elements,
          .gradient_ring = settings.gradient_ring,
          .max_live_elements = settings.max_live_elements,
          .prefetch_units = settings.prefetch_units,
          .persistence_threshold = settings.persistence_threshold};
}

/// Plans one step with AdamW. \throws as zero::plan_step.
[[nodiscard]] zero::Plan plan(zero::ParameterList const& parameters, Settings const& settings);

}  // namespace zero_plan
