// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/profile/observer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace zero {

/// In which order the gradients of several micro-batches and ranks are added.
enum class Reduce : std::uint8_t {
  each_micro_batch,  ///< the reduce-scatter of each micro-batch continues the sum, rank after rank: the order of the
                     ///< global sequence of micro-batches, whatever the number of ranks
  once_per_step,     ///< local sums first, over the ranks once: less traffic, whole local sums; stages 0 and 1
};

/// What a parameter without a gradient at the end of a micro-batch means.
enum class MissingGradient : std::uint8_t {
  error,  ///< GradientError, which names the parameter
  zero,   ///< a gradient of zeros
};

/// Settings of an engine. All of them are the same on every rank.
template <class Rule, class Scaler, class Offload, class Backend>
struct EngineConfig {
  std::optional<int> gradient_accumulation_steps{};  ///< rounds of a step: micro-batches of each rank; default: 1
  /// Micro-batches per step of the whole world, in place of `gradient_accumulation_steps`: the k-th runs on rank k mod
  /// world. The bits depend on this number then and not on how many ranks there are, which need not divide it: in the
  /// last round the last ranks have none, see MicroBatch::contributes. Gradients are added in the order of the sequence
  /// unless `reduce` says once_per_step.
  std::optional<int> micro_batches_per_step{};
  bool allow_idle_ranks = false;   ///< more ranks than micro_batches_per_step: the last ones hold states only
  double gradient_clipping = 0.0;  ///< largest norm of the averaged gradient; 0: no clipping
  int max_skipped_steps = 0;       ///< in a row: DivergenceError after that many; 0: any number
  /// Default: each_micro_batch at stages 2 and 3, and with micro_batches_per_step, else once_per_step.
  std::optional<Reduce> reduce{};
  std::optional<std::size_t> bucket_elements{};  ///< capacity of a bucket; default: 2^22, and at stages 2 and 3 what
                                                 ///< takes little memory for these parameters, see docs/planner.md
  std::size_t alignment_elements = 128;          ///< elements; every parameter starts on one; a multiple of 128
  std::optional<int> gradient_ring{};  ///< stages 2 and 3: buckets of gradients under way at once; default: those
                                       ///< of the largest unit, and one more
  MissingGradient missing_gradient = MissingGradient::error;  ///< what a parameter without a gradient means
  std::size_t max_live_elements = 0;      ///< stage 3: bound on gathered elements; 0: what a unit, those ahead and tied
                                          ///< ones need
  int prefetch_units = 1;                 ///< stage 3: units gathered ahead; 0: none
  std::size_t persistence_threshold = 0;  ///< stage 3: parameters with fewer elements stay whole on every rank
  typename Rule::Config optimizer{};      ///< settings of the rule, such as lr
  typename Scaler::Config scale{};        ///< settings of the loss scaler
  typename Offload::Config offload{};     ///< settings of the offload
  typename Backend::Config backend{};     ///< settings of the backend
  /// Watches this rank's steps, such as a profile::Profiler; borrowed, and should outlive the engine. Ranks need not
  /// agree on it.
  profile::Observer<typename Backend::Stream>* profiler = nullptr;
};

/// Stands for a policy whose settings do not count.
struct NoPolicy {
  struct Config {};
  struct Stream {};
};

/// Calls `visit(name, configs.setting...)` for every setting that is not a policy's: what ranks compare, the planner
/// takes over and copies copy.
template <class Visitor, class... Configs>
constexpr void for_each_setting(Visitor&& visit, Configs&... configs) {
  visit("gradient_accumulation_steps", configs.gradient_accumulation_steps...);
  visit("micro_batches_per_step", configs.micro_batches_per_step...);
  visit("allow_idle_ranks", configs.allow_idle_ranks...);
  visit("gradient_clipping", configs.gradient_clipping...);
  visit("max_skipped_steps", configs.max_skipped_steps...);
  visit("reduce", configs.reduce...);
  visit("bucket_elements", configs.bucket_elements...);
  visit("alignment_elements", configs.alignment_elements...);
  visit("gradient_ring", configs.gradient_ring...);
  visit("missing_gradient", configs.missing_gradient...);
  visit("max_live_elements", configs.max_live_elements...);
  visit("prefetch_units", configs.prefetch_units...);
  visit("persistence_threshold", configs.persistence_threshold...);
}

/// What changes from step to step.
struct StepOptions {
  std::optional<double> lr{};                 ///< learning rate; default: the configuration's
  std::optional<double> gradient_clipping{};  ///< default: the configuration's
  /// In [0, 1), of rules that take one per step, see RuleFacts: β₁ of Adam, AdamW and Lion, momentum of Sgd.
  /// Default: the configuration's.
  std::optional<double> momentum{};
  /// In [0, 1), of rules that take one per step, see RuleFacts: β₂ of Adam, AdamW and Lion. Default: the
  /// configuration's.
  std::optional<double> beta2{};
};

}  // namespace zero
