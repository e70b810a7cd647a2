// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/schedule/detail/elementary.hpp>
#include <zero/schedule/detail/settings.hpp>

#include <cstdint>

namespace zero::schedule {

/// How the rate of a DeepSpeed schedule rises during warm-up of W steps; t counts from 0.
enum class WarmupShape : std::uint8_t {
  logarithmic,  ///< ln(t + 1) / ln W: fast at first; "log"
  linear,       ///< t / W
};

}  // namespace zero::schedule

namespace zero::detail {

/// The steps of DeepSpeed's warm-up, which takes no fewer than 2: ln 1 is 0.
constexpr std::uint64_t warmup_steps_of(std::uint64_t steps) { return steps < 2 ? 2 : steps; }

/// How far warm-up of \p steps has come after \p done of them.
inline Double warmed_up(schedule::WarmupShape shape, std::uint64_t done, std::uint64_t steps) {
  if (shape == schedule::WarmupShape::linear) return number(done) / number(steps);
  return Double(1.0) / logarithm(number(steps)) * logarithm(number(done + 1));
}

/// Checks what WarmupLR and WarmupDecayLR have in common. \throws ConfigurationError.
template <class Config>
void require_warmup(ScheduleSettings const& settings, Config const& config) {
  settings.require_not_negative("min_lr", config.min_lr);
  settings.require_not_negative("max_lr", config.max_lr);
  settings.require_ordered("min_lr", config.min_lr, "max_lr", config.max_lr);
}

}  // namespace zero::detail
