// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/floating_point_guard.hpp>
#include <zero/schedule/detail/elementary.hpp>
#include <zero/schedule/detail/settings.hpp>
#include <zero/schedule/rates.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace zero::schedule {

/// DeepSpeed's OneCycle (Smith, "A disciplined approach to neural network hyper-parameters", 2018): the learning rate
/// rises from `min_lr` to `max_lr` and falls back, then decays below `min_lr`; momentum falls from `max_momentum` to
/// `min_momentum`, rises again, and then grows. The first step uses `min_momentum`, as there.
class OneCycle {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "OneCycle";

  /// Settings; DeepSpeed's names are in docs/schedules.md.
  struct Config {
    double min_lr = 0.0;                           ///< at both ends of the cycle
    double max_lr = 0.0;                           ///< in its middle
    double decay_lr_rate = 0.0;                    ///< after the cycle: min_lr / (1 + rate k / decay_steps)
    std::uint64_t first_steps = 2000;              ///< of the rise
    std::optional<std::uint64_t> second_steps{};   ///< of the fall; default: first_steps
    std::uint64_t first_stairs = 0;                ///< the rise in so many stairs; 0: continuous
    std::optional<std::uint64_t> second_stairs{};  ///< the fall in so many stairs; default: first_stairs
    std::uint64_t decay_steps = 0;                 ///< the unit of both decays; 0: none
    bool cycles_momentum = true;                   ///< otherwise momentum and β₂ are left alone
    double min_momentum = 0.8;                     ///< in the middle of the cycle
    double max_momentum = 0.9;                     ///< at its ends
    double decay_momentum_rate = 0.0;              ///< after the cycle: max_momentum (1 + rate k / decay_steps)
    std::optional<double> beta2 = 0.99;            ///< β₂ while momentum cycles; nullopt leaves it alone
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit OneCycle(Config const& config) : config_(config) {
    detail::ScheduleSettings const settings(name);
    settings.require_not_negative("min_lr", config.min_lr);
    settings.require_not_negative("max_lr", config.max_lr);
    settings.require_ordered("min_lr", config.min_lr, "max_lr", config.max_lr);
    settings.require_not_negative("decay_lr_rate", config.decay_lr_rate);
    settings.require_steps("first_steps", config.first_steps);
    constexpr std::uint64_t most = std::uint64_t{1} << 53;
    settings.require_within("first_steps", config.first_steps, "what a double counts", most);
    settings.require_within("second_steps", second_steps(), "what a double counts", most);
    if (!config.cycles_momentum) return;
    settings.require_below_one("min_momentum", config.min_momentum);
    settings.require_below_one("max_momentum", config.max_momentum);
    settings.require_ordered("min_momentum", config.min_momentum, "max_momentum", config.max_momentum);
    settings.require_finite("decay_momentum_rate", config.decay_momentum_rate);
    if (config.beta2) settings.require_below_one("beta2", *config.beta2);
  }

  /// What step \p step uses, counted from 0. \throws ConfigurationError where momentum has decayed out of [0, 1).
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    Rates rates{.lr = lr_at(step)};
    if (config_.cycles_momentum) {
      rates.momentum = momentum_at(step);
      rates.beta2 = config_.beta2;
    }
    return rates;
  }
  /// Makes sure that a run of \p steps can use it: after the cycle momentum may grow. \throws ConfigurationError
  void require_steps(std::uint64_t steps) const {
    if (steps > 0) (void)at(steps - 1);
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  [[nodiscard]] std::uint64_t second_steps() const { return config_.second_steps.value_or(config_.first_steps); }
  [[nodiscard]] std::uint64_t total_steps() const { return config_.first_steps + second_steps(); }

  [[nodiscard]] double lr_at(std::uint64_t step) const {
    Double const least = config_.min_lr;
    if (step == 0) return config_.min_lr;
    if (step <= total_steps()) return (least + (Double(config_.max_lr) - least) * height(step)).value();
    if (config_.decay_steps == 0 || config_.decay_lr_rate == 0) return config_.min_lr;
    return (least / (Double(1.0) + Double(config_.decay_lr_rate) * decay_intervals(step))).value();
  }
  [[nodiscard]] double momentum_at(std::uint64_t step) const {
    Double const largest = config_.max_momentum;
    if (step == 0) return config_.min_momentum;
    if (step <= total_steps()) return (largest - (largest - Double(config_.min_momentum)) * height(step)).value();
    if (config_.decay_steps == 0 || config_.decay_momentum_rate == 0) return config_.max_momentum;
    double const momentum =
        (largest * (Double(1.0) + Double(config_.decay_momentum_rate) * decay_intervals(step))).value();
    if (!detail::is_finite(momentum) || momentum < 0 || momentum >= 1) reject_momentum(step, momentum);
    return momentum;
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE static void reject_momentum(std::uint64_t step, double const& momentum) {
    detail::reject_rate(name, detail::concat({"momentum of step ", step}), momentum,
                        "a decay_momentum_rate with which it stays in [0, 1) for all steps, or train fewer steps");
  }
  [[nodiscard]] Double decay_intervals(std::uint64_t step) const {
    return detail::number(step - total_steps()) / detail::number(config_.decay_steps);
  }

  // How high the cycle stands: 0 to 1 and back. DeepSpeed's operations one by one, with what they lose: the position
  // within the cycle is a difference of numbers between 1 and 2.
  [[nodiscard]] Double height(std::uint64_t step) const {
    Double const one = 1.0, total = detail::number(total_steps());
    Double const position = one + detail::number(step) / total;
    Double const x = position - detail::number(static_cast<std::uint64_t>(position.value()));
    Double const ratio = detail::number(config_.first_steps) / total;
    bool const rises = x.value() <= ratio.value();
    std::uint64_t const stairs = rises ? config_.first_stairs : config_.second_stairs.value_or(config_.first_stairs);
    if (stairs > 0) return stair(step % total_steps(), stairs);
    return rises ? x / ratio : (x - one) / (ratio - one);
  }
  [[nodiscard]] Double stair(std::uint64_t step, std::uint64_t stairs) const {
    Double const position =
        step <= config_.first_steps
            ? detail::number(step) * detail::number(stairs) / detail::number(config_.first_steps)
            : detail::number(total_steps() - step) * detail::number(stairs) / detail::number(second_steps());
    return detail::number(static_cast<std::uint64_t>(position.value())) / detail::number(stairs);
  }

  Config config_;
};

}  // namespace zero::schedule
