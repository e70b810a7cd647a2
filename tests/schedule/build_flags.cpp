// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/schedule/schedule.hpp>
#include <zero/utility/fingerprint.hpp>

#include <cstdint>
#include <cstdio>
#include <initializer_list>

// A hash of the rates of all schedules: one number for every compiler, flag and machine.
int main() {
  using namespace zero::schedule;
  zero::Fingerprint fingerprint;
  for (Schedule const& schedule : std::initializer_list<Schedule>{
           Constant({.lr = 0.3, .warmup_steps = 7}),
           ConstantLR({.lr = 0.3, .factor = 0.7, .total_steps = 50}),
           Cosine({.lr = 6e-4, .min_lr = 6e-5, .warmup_steps = 100, .total_steps = 1900}),
           CosineAnnealingLR({.lr = 0.1, .min_lr = 1e-5, .half_period = 77}),
           ExponentialLR({.lr = 0.1, .gamma = 0.997}),
           Linear({.lr = 6e-4, .min_lr = 6e-5, .warmup_steps = 100, .total_steps = 1900}),
           LinearLR({.lr = 0.1, .start_factor = 0.1, .end_factor = 0.7, .total_steps = 1000}),
           LRRangeTest({.interval = 7, .rate = 0.3}),
           LRRangeTest({.interval = 7, .rate = 0.3, .staircase = true}),
           MultiStepLR({.lr = 0.1, .milestones = {10, 100, 1000}, .gamma = 0.3}),
           OneCycle({.min_lr = 1e-4, .max_lr = 1e-3, .first_steps = 700, .second_steps = 300, .decay_steps = 70}),
           OneCycle({.min_lr = 1e-4,
           .max_lr = 1e-3,
           .decay_lr_rate = 0.3,
           .first_steps = 300,
           .second_steps = 700,
           .first_stairs = 7,
           .decay_steps = 70,
           .decay_momentum_rate = 0.001}),
           StepLR({.lr = 0.1, .interval = 30, .gamma = 0.9}),
           WarmupCosineLR({.total_steps = 1900, .warmup_min_ratio = 0.01, .warmup_steps = 300}),
           WarmupDecayLR({.total_steps = 1900, .warmup_steps = 300, .shape = WarmupShape::linear}),
           WarmupLR({.min_lr = 1e-5, .warmup_steps = 1900}),
           WarmupStableDecay({.lr = 0.1,
           .min_lr = 0.01,
           .decay_steps = 900,
           .total_steps = 1900,
           .shape = DecayShape::one_minus_sqrt}),
       }) {
    for (std::uint64_t step = 0; step < 2000; ++step) {
      auto const rates = schedule.at(step);
      fingerprint.add(rates.lr);
      fingerprint.add(rates.momentum.value_or(0.0));
    }
  }
  int refused = 0;
  double nan = 0.0;
  std::uint64_t const bits = 0x7FF8000000000000;
  static_assert(sizeof nan == sizeof bits);
  __builtin_memcpy(&nan, &bits, sizeof nan);
  try {
    Schedule const schedule = Constant({.lr = nan});
  } catch (zero::ConfigurationError const&) {
    ++refused;
  }
  try {
    (void)Schedule(Custom{"of nan", [nan](std::uint64_t) { return Rates{.lr = nan}; }}).at(0);
  } catch (zero::ConfigurationError const&) {
    ++refused;
  }
  std::printf("%016llx %d refused\n", static_cast<unsigned long long>(fingerprint.value()), refused);
}
