// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/loss_scaler.hpp>

#include <cstdint>

namespace own {

/// Doubles the scale after every few clean steps, and quarters it at an overflow.
struct QuarteringScale {
  static constexpr zero::ScalerFacts facts{.name = "QuarteringScale", .validates = true};
  struct Config {
    float initial = 256.0F;
    std::uint32_t clean_steps = 2;  ///< before the scale doubles
  };
  struct State {
    float scale;
    std::uint32_t clean_steps;
  };
  static void validate(Config const& config) {
    if (config.clean_steps == 0) throw zero::ConfigurationError("own::QuarteringScale: clean_steps must be at least 1");
  }
  static State initial(Config const& config) { return {config.initial, 0}; }
  ZERO_HOST_DEVICE static State update(Config const& config, State state, bool overflow) {
    if (overflow) return {state.scale > 4.0F ? state.scale * 0.25F : 1.0F, 0};
    if (state.clean_steps + 1 < config.clean_steps) return {state.scale, state.clean_steps + 1};
    return {state.scale < 0x1p100F ? state.scale * 2.0F : state.scale, 0};
  }
};
static_assert(zero::loss_scaler<QuarteringScale>);

}  // namespace own
