// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/schedule/detail/elementary.hpp>
#include <zero/schedule/detail/settings.hpp>

#include <cstdint>

namespace zero::detail {

/// The warm-up of this library's own schedules, which is nanoGPT's: (t + 1) / (W + 1) of \p lr, never 0.
inline double linear_warmup(double lr, std::uint64_t step, std::uint64_t warmup_steps) {
  return (Double(lr) * number(step + 1) / number(warmup_steps + 1)).value();
}

/// How far steps [\p first, \p last) have come at \p step of them; an empty range counts as one step.
inline Double progress(std::uint64_t step, std::uint64_t first, std::uint64_t last) {
  return number(step - first) / number(last > first ? last - first : 1);
}

/// What Cosine, Linear and WarmupStableDecay have in common.
template <class Config>
void require_warmup_and_decay(ScheduleSettings const& settings, Config const& config) {
  settings.require_not_negative("lr", config.lr);
  settings.require_not_negative("min_lr", config.min_lr);
  settings.require_ordered("min_lr", config.min_lr, "lr", config.lr);
  settings.require_steps("total_steps", config.total_steps);
  settings.require_within("warmup_steps", config.warmup_steps, "total_steps", config.total_steps);
}

}  // namespace zero::detail
