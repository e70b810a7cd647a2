// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/micro_batch_sequence.hpp>
#include <zero/engine_config.hpp>
#include <zero/error.hpp>
#include <zero/kernels/detail/rule_settings.hpp>
#include <zero/kernels/real.hpp>
#include <zero/offload.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace zero::detail {

/// The settings of an engine that no policy's type decides, for what is written once for all engines.
struct EngineSettings : EngineConfig<NoPolicy, NoPolicy, CpuOffload, NoPolicy> {
  Stage stage = Stage::none;
  double lr = 0.0;
  bool offloads = false;  ///< whether `offload` counts
};

inline void check_lr(double const& lr) {
  enforce(is_finite(lr) && lr >= 0.0, "zero::Engine: lr must be finite and not negative, e.g. 3e-4");
}
inline void check_clipping(double const& clipping) {
  enforce(is_finite(clipping) && clipping >= 0.0,
          "zero::Engine: gradient_clipping must be finite and not negative; 0 turns it off");
}

/// \throws ConfigurationError for numbers of micro-batches that \p world ranks cannot take in a step.
ZERO_OUT_OF_LINE inline void check_micro_batches(EngineSettings const& settings, int world) {
  int const accumulation = settings.gradient_accumulation_steps.value_or(1);
  enforce(accumulation >= 1 && accumulation <= (1 << 20),
          "zero::Engine: gradient_accumulation_steps must be at least 1 micro-batch, and at most 2^20");
  if (!settings.micro_batches_per_step) {
    enforce(!settings.allow_idle_ranks,
            "zero::Engine: allow_idle_ranks is for micro_batches_per_step: without it every rank has a micro-batch: "
            "set micro_batches_per_step, or leave allow_idle_ranks out");
    return;
  }
  int const total = *settings.micro_batches_per_step;
  if (settings.gradient_accumulation_steps) {
    fail<ConfigurationError>({"zero::Engine: micro_batches_per_step, ", total,
                              " of the whole world, and gradient_accumulation_steps, ", accumulation,
                              " of each rank, are both given: leave one of them out"});
  }
  enforce(total >= 1 && total <= (1 << 30),
          "zero::Engine: micro_batches_per_step must be at least 1 micro-batch, and at most 2^30");
  if (total >= world || settings.allow_idle_ranks) return;
  fail<ConfigurationError>({"zero::Engine: micro_batches_per_step is ", total, ", fewer than the ", world,
                            " ranks, so that ranks from ", total,
                            " on never compute: take fewer ranks or more micro-batches, or set allow_idle_ranks where "
                            "they are to hold states only"});
}

/// What a step of valid \p settings does on \p rank of \p world.
[[nodiscard]] inline MicroBatchSequence micro_batches_of(EngineSettings const& settings, int world, int rank) noexcept {
  std::int64_t const even = std::int64_t{settings.gradient_accumulation_steps.value_or(1)} * world;
  return {settings.micro_batches_per_step ? *settings.micro_batches_per_step : even, world, rank};
}

/// \throws ConfigurationError for what cannot work on \p world ranks.
ZERO_OUT_OF_LINE inline void check_settings(EngineSettings const& settings, int world) {
  check_micro_batches(settings, world);
  check_clipping(settings.gradient_clipping);
  enforce(settings.max_skipped_steps >= 0,
          "zero::Engine: max_skipped_steps must not be negative; 0 lets a run skip any number of steps");
  enforce(settings.reduce != Reduce::once_per_step || settings.stage < Stage::gradients,
          "zero::Engine: Reduce::once_per_step keeps whole local sums: use stage 0 or 1, or Reduce::each_micro_batch");
  check_lr(settings.lr);
}

/// The settings of offload that \p config asks for; empty where states stay on the device.
template <class Config>
std::optional<CpuOffload::Config> offload_of(Config const& config) {
  if constexpr (std::is_convertible_v<Config const&, std::optional<CpuOffload::Config>>) {
    return config;
  } else {
    return std::nullopt;
  }
}

/// The settings of \p config that the schedule needs.
template <class Config>
EngineSettings settings_of(Config const& config, Stage stage) {
  EngineSettings settings;
  auto const copy = [](std::string_view, auto& to, auto const& from) { to = from; };
  for_each_setting(copy, settings, config);
  settings.stage = stage;
  settings.lr = static_cast<double>(config.optimizer.lr);
  auto const offload = offload_of(config.offload);
  settings.offloads = offload.has_value();
  if (offload) settings.offload = *offload;
  return settings;
}

}  // namespace zero::detail
