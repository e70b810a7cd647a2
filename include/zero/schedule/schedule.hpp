// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/schedule/constant.hpp>
#include <zero/schedule/constant_lr.hpp>
#include <zero/schedule/cosine.hpp>
#include <zero/schedule/cosine_annealing_lr.hpp>
#include <zero/schedule/detail/settings.hpp>
#include <zero/schedule/exponential_lr.hpp>
#include <zero/schedule/linear.hpp>
#include <zero/schedule/linear_lr.hpp>
#include <zero/schedule/lr_range_test.hpp>
#include <zero/schedule/multi_step_lr.hpp>
#include <zero/schedule/one_cycle.hpp>
#include <zero/schedule/rates.hpp>
#include <zero/schedule/step_lr.hpp>
#include <zero/schedule/warmup_cosine_lr.hpp>
#include <zero/schedule/warmup_decay_lr.hpp>
#include <zero/schedule/warmup_lr.hpp>
#include <zero/schedule/warmup_stable_decay.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace zero::schedule {

/// A schedule of the user's own: a name and a pure function of the step.
struct Custom {
  std::string name;                           ///< for messages
  std::function<Rates(std::uint64_t)> rates;  ///< of the step, counted from 0
};

// Each schedule of this folder has a `name`, a `Config`, `at(step)` and `config()`. They are written out in every one,
// and not taken from a base: a header then shows the whole of its schedule, and schedules stay plain values of one
// member.

/// Any schedule as a value: one of this folder's, or a function of the user's own.
class Schedule {
 public:
  /// What it can be.
  using Kind = std::variant<Constant, ConstantLR, Cosine, CosineAnnealingLR, Custom, ExponentialLR, Linear, LinearLR,
                            LRRangeTest, MultiStepLR, OneCycle, StepLR, WarmupCosineLR, WarmupDecayLR, WarmupLR,
                            WarmupStableDecay>;

  /// One of this folder's schedules.
  template <class One>
  requires(!std::same_as<One, Schedule> && !std::same_as<One, Custom> && std::constructible_from<Kind, One>)
      Schedule(One schedule)
      : kind_(std::move(schedule)) {}
  /// A function of the user's own. \throws ConfigurationError where there is no function, or no name.
  Schedule(Custom custom) : kind_(std::move(custom)) {
    auto const& own = std::get<Custom>(kind_);
    detail::enforce(own.rates && !own.name.empty(),
                    "zero::schedule::Custom: there is no function or no name: give both");
  }

  /// What step \p step uses, counted from 0. The same bits on every machine, unless it is a user's function.
  /// \throws ConfigurationError where that is no learning rate or no momentum.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    auto const rates = std::visit(
        [step](auto const& kind) {
          if constexpr (requires { kind.at(step); }) {
            return kind.at(step);
          } else {
            return kind.rates(step);
          }
        },
        kind_);
    detail::ScheduleSettings const values(name());
    values.require_not_negative("lr", rates.lr);
    if (rates.momentum) values.require_below_one("momentum", *rates.momentum);
    if (rates.beta2) values.require_below_one("beta2", *rates.beta2);
    return rates;
  }
  /// Makes sure that a run of \p steps can use it: momentum of OneCycle may grow after the cycle, to 1 and more. A
  /// user's function is not asked. \throws ConfigurationError
  void require_steps(std::uint64_t steps) const {
    if (auto const* cycle = get_if<OneCycle>()) cycle->require_steps(steps);
  }
  /// DeepSpeed's or PyTorch's name where it is one of theirs.
  [[nodiscard]] std::string_view name() const noexcept {
    return std::visit([](auto const& kind) { return std::string_view(kind.name); }, kind_);
  }
  /// The schedule where it is a \p One; else null.
  template <class One>
  [[nodiscard]] One const* get_if() const noexcept {
    return std::get_if<One>(&kind_);
  }

 private:
  Kind kind_;
};

}  // namespace zero::schedule
