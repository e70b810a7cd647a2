// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradients/arrivals.hpp>
#include <zero/gradients/reducer.hpp>
#include <zero/kernels/real.hpp>
#include <zero/offload.hpp>
#include <zero/parameter.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace zero {

/// Settings of an engine. All of them are the same on every rank.
template <class Rule, class Scaler, class Offload, class Backend>
struct EngineConfig {
  int gradient_accumulation_steps = 1;  ///< micro-batches per step and rank
  double gradient_clipping = 0.0;       ///< largest norm of the averaged gradient; 0: no clipping
  std::optional<Reduce> reduce{};       ///< default: each_micro_batch at stages 2 and 3, else once_per_step
  std::optional<std::size_t>
      bucket_elements{};               ///< capacity of a bucket; default: 2^22, and at stages 2 and 3 the
                                       ///< largest parameter that can share the gradient ring, if that is more
  std::size_t granule = 128;           ///< elements; every parameter starts on one; a multiple of 128
  std::optional<int> gradient_ring{};  ///< stages 2 and 3: buckets of gradients under way at once; default: those
                                       ///< of the largest unit, and one more
  MissingGradient missing_gradient = MissingGradient::error;
  std::size_t live_elements = 0;     ///< stage 3: bound on gathered elements; 0: what one unit and the next need
  int prefetch_units = 1;            ///< stage 3: units gathered ahead; 0: none
  std::size_t keep_whole_below = 0;  ///< stage 3: parameters with fewer elements stay whole on every rank
  typename Rule::Config optimizer{};
  typename Scaler::Config scale{};
  typename Offload::Config offload{};
  typename Backend::Config backend{};

  /// The same settings for an engine with another offload.
  template <class Other>
  [[nodiscard]] EngineConfig<Rule, Scaler, Other, Backend> with_offload(typename Other::Config const& other) const {
    return {gradient_accumulation_steps,
            gradient_clipping,
            reduce,
            bucket_elements,
            granule,
            gradient_ring,
            missing_gradient,
            live_elements,
            prefetch_units,
            keep_whole_below,
            optimizer,
            scale,
            other,
            backend};
  }
};

/// The settings of an engine that no policy's type decides, for what is written once for all engines.
struct EngineSettings {
  Stage stage = Stage::none;
  int gradient_accumulation_steps = 1;
  double gradient_clipping = 0.0;
  std::optional<Reduce> reduce{};
  std::optional<std::size_t> bucket_elements{};
  std::size_t granule = 0;
  std::optional<int> gradient_ring{};
  MissingGradient missing_gradient = MissingGradient::error;
  std::size_t live_elements = 0;
  int prefetch_units = 0;
  std::size_t keep_whole_below = 0;
  double lr = 0.0;
  bool offloads = false;
  CpuOffload::Config offload{};
};

/// What changes from step to step.
struct StepOptions {
  std::optional<double> lr{};                 ///< learning rate; default: the configuration's
  std::optional<double> gradient_clipping{};  ///< default: the configuration's
};

namespace detail {

inline void check_lr(double const& lr) {
  require(is_finite(lr) && lr >= 0.0, "zero::Engine: lr must be finite and not negative, e.g. 3e-4");
}
inline void check_clipping(double const& clipping) {
  require(is_finite(clipping) && clipping >= 0.0,
          "zero::Engine: gradient_clipping must be finite and not negative; 0 turns it off");
}

/// A policy's own check, as the library's error.
template <class Policy>
[[gnu::noinline]] void validate(typename Policy::Config const& config) {
  if constexpr (requires { Policy::validate(config); }) {
    try {
      Policy::validate(config);
    } catch (std::invalid_argument const& error) {
      throw ConfigurationError(error.what());
    }
  }
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
                          .granule = config.granule,
                          .gradient_ring = config.gradient_ring,
                          .missing_gradient = config.missing_gradient,
                          .live_elements = config.live_elements,
                          .prefetch_units = config.prefetch_units,
                          .keep_whole_below = config.keep_whole_below,
                          .lr = static_cast<double>(config.optimizer.lr),
                          .offloads = Offload::offloads};
  if constexpr (std::is_same_v<Offload, CpuOffload>) settings.offload = config.offload;
  return settings;
}

/// The rule's configuration as a group sees it.
template <class Rule>
typename Rule::Config group_config(typename Rule::Config config, ParameterGroup const& group, double lr) {
  config.lr = static_cast<decltype(config.lr)>(lr * group.lr_factor);
  if constexpr (requires { config.weight_decay; }) {
    if (group.weight_decay) config.weight_decay = static_cast<decltype(config.weight_decay)>(*group.weight_decay);
  } else {
    require(!group.weight_decay,
            "zero::Engine: a group sets weight_decay, which this rule does not have: leave it out");
  }
  return config;
}

/// What a rule's settings do to one element, at the first steps: equal settings, equal bits. Its Config may have
/// padding and members that cannot be compared.
template <class Rule>
[[gnu::noinline]] std::uint64_t fingerprint_of_rule(typename Rule::Config const& config) {
  Fingerprint fingerprint;
  for (float const unit : {1.0F, 0x1p-40F}) {  // beside a large parameter and gradient a small setting would not show
    Real1 parameter(unit);
    States<Real1, Rule::state_count> states{};
    for (std::size_t k = 0; k < Rule::state_count; ++k) states[k] = Real1(0.25F * unit * unit);
    for (std::uint64_t step = 1; step <= 4; ++step) {
      Rule::update(parameter, Real1(0.5F * unit / static_cast<float>(step)), states, Rule::constants(config, step));
      fingerprint.add(parameter);
      for (std::size_t k = 0; k < Rule::state_count; ++k) fingerprint.add(states[k]);
    }
  }
  return fingerprint.value();
}

/// The scales that a scaler takes over clean steps and overflows.
template <class Scaler>
[[gnu::noinline]] std::uint64_t fingerprint_of_scaler(typename Scaler::Config const& config) {
  Fingerprint fingerprint;
  auto state = Scaler::initial(config);
  for (int i = 0; i < 6000; ++i) {
    state = Scaler::update(config, state, i % 2000 >= 1990);
    fingerprint.add(static_cast<float>(state.scale));
  }
  return fingerprint.value();
}

/// A policy's `name`, which one that a user writes need not have.
template <class Policy>
constexpr std::string_view policy_name() {
  if constexpr (requires { std::string_view(Policy::name); }) {
    return Policy::name;
  } else {
    return "of the user's";
  }
}

}  // namespace detail
}  // namespace zero
