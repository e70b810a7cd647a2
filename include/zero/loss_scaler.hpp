// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/kernels/detail/rule_settings.hpp>
#include <zero/kernels/real.hpp>
#include <zero/support/message.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace zero {

/// What a scaler says of itself, all of it optional: `static constexpr ScalerFacts facts{.name = "MyScale"};`.
struct ScalerFacts {
  std::string_view name = "of the user's";  ///< compared over ranks, and written into checkpoints
  /// `validate(config)` throws std::invalid_argument or ConfigurationError for settings that cannot work.
  bool validates = false;
};

/// The facts of \p Scaler; the defaults where it publishes none.
template <class Scaler>
[[nodiscard]] constexpr ScalerFacts scaler_facts() noexcept {
  if constexpr (requires { Scaler::facts; }) {
    return Scaler::facts;
  } else {
    return {};
  }
}

/// No loss scaling: gradients are those of the loss itself.
struct NoScale {
  /// Name and members, which ranks compare and checkpoints hold.
  static constexpr ScalerFacts facts{.name = "NoScale", .validates = true};
  struct Config {};
  /// What one step leaves for the next.
  struct State {
    float scale = 1.0F;  ///< what the loss is multiplied with
  };
  /// \throws ConfigurationError for settings that cannot work.
  static void validate(Config const& /*config*/) {}
  /// What a run starts with.
  static State initial(Config const& /*config*/) { return {}; }
  /// The state after a step; \p overflow: a gradient was not finite.
  ZERO_HOST_DEVICE static State update(Config const& /*config*/, State state, bool /*overflow*/) { return state; }
};

/// One scale for the whole run. A step whose gradients overflow is skipped and reported; the scale stays.
struct StaticScale {
  /// Name and members, which ranks compare and checkpoints hold.
  static constexpr ScalerFacts facts{.name = "StaticScale", .validates = true};
  /// Settings.
  struct Config {
    float scale = 1024.0F;  ///< positive and finite; a power of two loses no bits
  };
  /// What one step leaves for the next.
  struct State {
    float scale;  ///< what the loss is multiplied with
  };
  /// \throws ConfigurationError for settings that cannot work.
  static void validate(Config const& config) {
    detail::enforce(detail::is_finite(config.scale) && config.scale > 0.0F,
                    "zero::StaticScale: scale must be positive and finite, e.g. 1024");
  }
  /// What a run starts with.
  static State initial(Config const& config) { return {config.scale}; }
  /// The state after a step; \p overflow: a gradient was not finite.
  ZERO_HOST_DEVICE static State update(Config const& /*config*/, State state, bool /*overflow*/) { return state; }
};

/// What an overflow at the minimum scale means: a choice of the caller, never an endless silent skip.
enum class AtMinimumScale : std::uint8_t {
  fail,  ///< the step's report throws LossScaleError when it is read; unread, `step` throws it 16 steps later
  skip,  ///< steps go on being skipped, and each report says so in `at_minimum_scale`
};

/// Dynamic loss scaling (Micikevicius et al., "Mixed Precision Training", 2018, section 3.2), with the settings that
/// DeepSpeed's configuration names: the scale doubles after `window` steps in a row without overflow, and halves once
/// `hysteresis` overflows have been seen.
struct DynamicScale {
  /// Name and members, which ranks compare and checkpoints hold.
  static constexpr ScalerFacts facts{.name = "DynamicScale", .validates = true};
  /// Settings.
  struct Config {
    float initial = 65536.0F;             ///< first scale
    float factor = 2.0F;                  ///< growth and backoff; a power of two loses no bits
    float minimum = 1.0F;                 ///< the scale never falls below it
    std::uint32_t window = 1000;          ///< clean steps in a row before the scale grows
    std::uint32_t hysteresis = 2;         ///< overflows before the scale shrinks; 1: at once
    bool consecutive_hysteresis = false;  ///< refill hysteresis at every clean step, not only when the scale grows
    AtMinimumScale at_minimum = AtMinimumScale::fail;  ///< what an overflow at the minimum means
  };
  /// What one step leaves for the next.
  struct State {
    float scale;                ///< what the loss is multiplied with
    std::uint32_t clean_steps;  ///< in a row, since the last overflow or growth
    std::uint32_t hysteresis;   ///< overflows left before the scale shrinks
    bool exhausted;             ///< the last step overflowed at the minimum, with no hysteresis left
  };
  /// \throws ConfigurationError for settings that cannot work.
  static void validate(Config const& config) {
    detail::enforce(detail::is_finite(config.minimum) && config.minimum > 0.0F,
                    "zero::DynamicScale: minimum must be positive and finite, e.g. 1");
    detail::enforce(detail::is_finite(config.initial) && config.initial >= config.minimum,
                    "zero::DynamicScale: initial must be finite and at least minimum, e.g. 65536");
    detail::enforce(detail::is_finite(config.factor) && config.factor > 1.0F,
                    "zero::DynamicScale: factor must be finite and above 1, e.g. 2");
    detail::enforce(config.window > 0, "zero::DynamicScale: window must be at least 1 step, e.g. 1000");
    detail::enforce(config.hysteresis > 0, "zero::DynamicScale: hysteresis must be at least 1, e.g. 2");
  }
  /// What a run starts with.
  static State initial(Config const& config) { return {config.initial, 0, config.hysteresis, false}; }
  /// The state after a step; \p overflow: a gradient was not finite.
  ZERO_HOST_DEVICE static State update(Config const& config, State state, bool overflow) {
    return overflow ? after_overflow(config, state) : after_clean_step(config, state);
  }

 private:
  ZERO_HOST_DEVICE static State after_overflow(Config const& config, State state) {
    state.clean_steps = 0;
    if (state.hysteresis > 1) {
      --state.hysteresis;
      return state;
    }
    state.exhausted = !(state.scale > config.minimum);
    float const lower = (Double(state.scale) / Double(config.factor)).to_float();
    state.scale = lower > config.minimum ? lower : config.minimum;
    return state;
  }
  ZERO_HOST_DEVICE static State after_clean_step(Config const& config, State state) {
    state.exhausted = false;
    if (config.consecutive_hysteresis) state.hysteresis = config.hysteresis;
    if (++state.clean_steps < config.window) return state;
    state.clean_steps = 0;
    state.hysteresis = config.hysteresis;
    float const higher = (Double(state.scale) * Double(config.factor)).to_float();
    if (higher <= 0x1p127F) state.scale = higher;  // an infinite scale would never come back
    return state;
  }
};

/// A scaler: a Config, a trivially copyable State that holds `scale`, the state it starts from, and a pure function of
/// the last state and whether the step overflowed, so that it can live on the device. What else it has it says in its
/// `facts`, see ScalerFacts. `exhausted` in the state ends the run (see AtMinimumScale). Checkpoints hold the state's
/// bytes; those of padding are 0 where `State{}` is a constant expression, and otherwise what lay there.
template <class Scaler>
concept loss_scaler = requires(typename Scaler::Config const& config, typename Scaler::State state) {
  { Scaler::initial(config) } -> std::same_as<typename Scaler::State>;
  { Scaler::update(config, state, true) } -> std::same_as<typename Scaler::State>;
  { state.scale } -> std::convertible_to<float>;
  requires std::is_trivially_copyable_v<typename Scaler::State>;
};
static_assert(loss_scaler<NoScale> && loss_scaler<StaticScale> && loss_scaler<DynamicScale>);

}  // namespace zero
