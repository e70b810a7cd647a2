// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A scenario in the words of the library: parameters and settings.

#include "differential/any_scale.hpp"
#include "differential/events.hpp"
#include "differential/scenario.hpp"

#include <zero/any_engine.hpp>
#include <zero/flat_layout.hpp>
#include <zero/kernels/float_types.hpp>
#include <zero/layout/default_bucket.hpp>
#include <zero/layout/unit_table.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace differential {

/// The parameters of a scenario, and the buffers that they adopt.
template <class Value>
class Registered {
 public:
  explicit Registered(Scenario const& s)
      : values_(s.parameters.size()), gradients_(s.parameters.size()), initial_(s.parameters.size()) {
    std::vector<zero::GroupId> groups{{}};
    for (std::size_t g = 1; g < s.groups.size(); ++g) {
      zero::ParameterGroup group{.lr_factor = s.groups[g].lr_factor};
      if (s.groups[g].weight_decay >= 0.0) group.weight_decay = s.groups[g].weight_decay;
      groups.push_back(list_.add_group(group));
    }
    for (std::size_t p = 0; p < s.parameters.size(); ++p) add(s, p, groups);
  }
  Registered(Registered const&) = delete;
  Registered& operator=(Registered const&) = delete;

  [[nodiscard]] zero::ParameterList const& list() const { return list_; }
  [[nodiscard]] std::vector<zero::ParameterId> const& ids() const { return ids_; }
  /// The caller's own values of parameter \p p; empty where they are placed.
  [[nodiscard]] std::vector<Value> const& values(std::size_t p) const { return values_[p]; }
  /// The caller's own gradient; empty where it is placed.
  [[nodiscard]] std::vector<Value>& gradient(std::size_t p) { return gradients_[p]; }

 private:
  void add(Scenario const& s, std::size_t p, std::vector<zero::GroupId> const& groups) {
    auto const& parameter = s.parameters[p];
    zero::ParameterSpec spec{.name = "p" + std::to_string(p),
                             .shape = {parameter.count},
                             .group = groups[parameter.group],
                             .contributions = parameter.contributions,
                             .unit = parameter.unit,
                             .frozen = parameter.frozen};
    if (parameter.adopts_values) {
      for (std::size_t i = 0; i < parameter.count; ++i) {
        values_[p].push_back(zero::narrow<Value>(initial_value(s, p, i)));
      }
      spec.values = zero::adopt(values_[p].data(), parameter.count);
    }
    if (registers_initial(s, p)) {
      for (std::size_t i = 0; i < parameter.count; ++i) initial_[p].push_back(initial_value(s, p, i));
      spec.initial = initial_[p];
    }
    if (parameter.adopts_gradients) {
      gradients_[p].resize(parameter.count);
      spec.gradients = zero::adopt(gradients_[p].data(), parameter.count);
    }
    ids_.push_back(list_.add(spec));
  }

  std::vector<std::vector<Value>> values_, gradients_;
  std::vector<std::vector<float>> initial_;
  zero::ParameterList list_;
  std::vector<zero::ParameterId> ids_;
};

template <class RuleConfig>
void set_rule(Scenario const& s, RuleConfig& config) {
  config.lr = s.lr, config.weight_decay = s.weight_decay;
  if constexpr (requires { config.beta1; }) config.beta1 = s.beta1, config.beta2 = s.beta2;
  if constexpr (requires { config.eps; }) config.eps = s.eps;
  if constexpr (requires { config.momentum; }) {
    config.momentum = s.momentum, config.dampening = s.dampening, config.nesterov = s.nesterov;
  }
  if constexpr (requires { config.lr_decay; }) config.lr_decay = s.lr_decay;
}

inline AnyScale::Config scale_config(Scenario const& s) {
  AnyScale::Config config{.kind = s.scaling};
  config.constant.scale = static_cast<float>(s.scale);
  config.dynamic = {.initial = static_cast<float>(s.scale),
                    .factor = static_cast<float>(s.factor),
                    .minimum = static_cast<float>(s.minimum),
                    .window = s.window,
                    .hysteresis = s.hysteresis,
                    .consecutive_hysteresis = s.consecutive};
  config.at_minimum = s.fails_at_minimum ? zero::AtMinimumScale::fail : zero::AtMinimumScale::skip;
  return config;
}

/// The layout of the scenario's engine at stage 3.
inline zero::FlatLayout sharded_layout(Scenario const& s, zero::ParameterList const& list) {
  zero::LayoutSettings layout{.stage = zero::Stage::parameters,
                              .world = static_cast<std::size_t>(s.world),
                              .alignment_elements = s.alignment,
                              .persistence_threshold = s.persistence};
  if (s.bucket != 0) {
    layout.bucket_elements = s.bucket;
  } else {
    layout = zero::detail::DefaultBucket(list.specs(), layout).settings();
  }
  return {list.specs(), layout};
}

/// The live bound of the scenario, or, for `tightest_live`, what one unit needs and all tied parameters beside it, as
/// the trainer gathers them.
inline std::size_t accepted_live(Scenario const& s, zero::ParameterList const& list) {
  if (s.stage != 3 || s.live != tightest_live) return s.live;
  auto const layout = sharded_layout(s, list);
  auto const units = zero::detail::UnitTable::of_sharded(layout, list.specs());
  std::size_t largest = 0, tied = 0;
  for (std::size_t u = 0; u < units.size(); ++u) {
    if (units[u].in_order) largest = std::max(largest, units[u].elements);
    if (!units[u].in_order) tied += units[u].elements;
  }
  return std::max<std::size_t>(1, largest + tied);
}

/// The ring of the scenario, or the shortest one that engines accept: where ranks may lack gradients that others have,
/// and parameters are tied, they need room for the gradients of one unit at stage 3.
inline int accepted_ring(Scenario const& s, zero::ParameterList const& list) {
  bool const any_tied = std::any_of(s.parameters.begin(), s.parameters.end(),
                                    [](auto const& parameter) { return parameter.contributions > 1; });
  bool const may_lack = s.missing_zero || total_micro_batches(s) % static_cast<std::size_t>(s.world) != 0;
  if (s.stage != 3 || !may_lack || !any_tied) return s.ring;
  auto const least = sharded_layout(s, list).ring_buckets_of_largest_unit();
  return std::max(s.ring, static_cast<int>(least));
}

template <class Engine>
typename Engine::Config engine_config(Scenario const& s, zero::ParameterList const& list) {
  typename Engine::Config config{};
  if (s.micro_batches > 0) {
    config.micro_batches_per_step = s.micro_batches;
    config.allow_idle_ranks = s.micro_batches < s.world;
  } else {
    config.gradient_accumulation_steps = s.accumulation;
  }
  config.gradient_clipping = s.clipping;
  if (s.reduce == ReduceOrder::each_micro_batch) config.reduce = zero::Reduce::each_micro_batch;
  if (s.reduce == ReduceOrder::once_per_step) config.reduce = zero::Reduce::once_per_step;
  if (s.bucket != 0) config.bucket_elements = s.bucket;
  config.alignment_elements = s.alignment;
  if (s.ring != 0) config.gradient_ring = accepted_ring(s, list);
  if (s.missing_zero) config.missing_gradient = zero::MissingGradient::zero;
  config.max_live_elements = accepted_live(s, list);
  config.prefetch_units = s.prefetch;
  config.persistence_threshold = s.persistence;
  set_rule(s, config.optimizer);
  config.scale = scale_config(s);
  config.backend.threads = s.threads;
  if (s.offload) {
    config.offload = zero::CpuOffload::Config{.chunk_elements = s.chunk,
                                              .staging_chunks = s.staging,
                                              .device_share = s.device_share,
                                              .delayed_update = s.delayed};
  }
  return config;
}

}  // namespace differential
