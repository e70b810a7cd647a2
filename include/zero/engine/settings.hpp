// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine_config.hpp>
#include <zero/error.hpp>
#include <zero/kernels/real.hpp>
#include <zero/offload.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>

namespace zero::detail {

/// The settings of an engine that no policy's type decides, for what is written once for all engines.
struct EngineSettings {
  Stage stage = Stage::none;
  int gradient_accumulation_steps = 1;
  double gradient_clipping = 0.0;
  std::optional<Reduce> reduce{};
  std::optional<std::size_t> bucket_elements{};
  std::size_t alignment_elements = 0;
  std::optional<int> gradient_ring{};
  MissingGradient missing_gradient = MissingGradient::error;
  std::size_t max_live_elements = 0;
  int prefetch_units = 0;
  std::size_t persistence_threshold = 0;
  double lr = 0.0;
  bool offloads = false;
  CpuOffload::Config offload{};
};

inline void check_lr(double const& lr) {
  require(is_finite(lr) && lr >= 0.0, "zero::Engine: lr must be finite and not negative, e.g. 3e-4");
}
inline void check_clipping(double const& clipping) {
  require(is_finite(clipping) && clipping >= 0.0,
          "zero::Engine: gradient_clipping must be finite and not negative; 0 turns it off");
}

[[gnu::noinline]] inline void check_settings(EngineSettings const& settings) {
  require(settings.gradient_accumulation_steps >= 1 && settings.gradient_accumulation_steps <= (1 << 20),
          "zero::Engine: gradient_accumulation_steps must be at least 1 micro-batch, and at most 2^20");
  check_clipping(settings.gradient_clipping);
  require(settings.reduce != Reduce::once_per_step || settings.stage < Stage::gradients,
          "zero::Engine: Reduce::once_per_step keeps whole local sums: use stage 0 or 1, or Reduce::each_micro_batch");
  check_lr(settings.lr);
}

/// The settings of \p config that the schedule needs.
template <class Offload, class Config>
EngineSettings settings_of(Config const& config, Stage stage) {
  EngineSettings settings{.stage = stage,
                          .gradient_accumulation_steps = config.gradient_accumulation_steps,
                          .gradient_clipping = config.gradient_clipping,
                          .reduce = config.reduce,
                          .bucket_elements = config.bucket_elements,
                          .alignment_elements = config.alignment_elements,
                          .gradient_ring = config.gradient_ring,
                          .missing_gradient = config.missing_gradient,
                          .max_live_elements = config.max_live_elements,
                          .prefetch_units = config.prefetch_units,
                          .persistence_threshold = config.persistence_threshold,
                          .lr = static_cast<double>(config.optimizer.lr),
                          .offloads = Offload::offloads};
  if constexpr (std::is_same_v<Offload, CpuOffload>) settings.offload = config.offload;
  return settings;
}

}  // namespace zero::detail
