// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/error.hpp>
#include <zero/schedule/clock.hpp>
#include <zero/schedule/detail/elementary.hpp>
#include <zero/schedule/schedule.hpp>

#include <doctest/doctest.h>

#include <cfenv>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace schedule_schedule_test {

using namespace zero::schedule;

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// What making an S of \p config says; empty where it is made.
template <class S>
std::string refusal(typename S::Config const& config) {
  try {
    S const schedule(config);
  } catch (zero::ConfigurationError const& error) {
    return error.what();
  }
  return {};
}

template <class Call>
std::string message_of(Call&& call) {
  try {
    (void)call();
  } catch (zero::ConfigurationError const& error) {
    return error.what();
  }
  return {};
}

bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// Each number that cannot be is refused by the name of its setting.
template <class S, class Member>
void check_refuses(typename S::Config config, std::string const& setting, Member member,
                   std::vector<double> const& bad) {
  for (double const value : bad) {
    config.*member = value;
    auto const text = refusal<S>(config);
    CAPTURE(setting);
    CAPTURE(value);
    CHECK(has(text, "zero::schedule::" + std::string(S::name) + ": " + setting + " is "));
    CHECK(has(text, ": write "));
  }
}
template <class S, class Member>
void check_refuses_zero(typename S::Config config, std::string const& setting, Member member) {
  config.*member = 0;
  CHECK(refusal<S>(config) == "zero::schedule::" + std::string(S::name) + ": " + setting + " is 0: write 1 or more");
}

std::vector<double> const no_rates{-1e-9, nan, infinity, -infinity};
std::vector<double> const no_shares{-0.1, 1.1, nan};
std::vector<double> const no_factors{0.0, -0.1, 1.1, nan};
std::vector<double> const no_momenta{-0.1, 1.0, nan};

}  // namespace

TEST_CASE("schedule: logarithm, cosine and power are the nearest doubles") {
  using zero::detail::cosine, zero::detail::logarithm, zero::detail::power_of;
  CHECK(logarithm(1.0).value() == 0.0);
  CHECK(logarithm(2.0).value() == 0x1.62e42fefa39efp-1);
  CHECK(logarithm(3.0).value() == 0x1.193ea7aad030bp+0);
  CHECK(logarithm(10.0).value() == 0x1.26bb1bbb55516p+1);
  CHECK(logarithm(1000.0).value() == 0x1.ba18a998fffa0p+2);
  CHECK(logarithm(9999.0).value() == 0x1.26ba4a018ebaep+3);
  CHECK(logarithm(0x1.ff7ced916872bp-1).value() == -0x1.064670d979b73p-10);
  CHECK(cosine(0.0).value() == 1.0);
  CHECK(cosine(1.0).value() == 0x1.14a280fb5068cp-1);
  CHECK(cosine(0x1.921fb54442d18p+0).value() == 0x1.1a62633145c07p-54);
  CHECK(cosine(2.5).value() == -0x1.9a2f7ef858b7dp-1);
  CHECK(cosine(0x1.921fb54442d18p+1).value() == -1.0);
  CHECK(cosine(4.0).value() == -0x1.4eaa606db24c1p-1);
  CHECK(cosine(6.0).value() == 0x1.eb9b7097822f5p-1);
  CHECK(cosine(1e9).value() == 0x1.acff8c7364234p-1);
  CHECK(power_of(0.97, 0).value() == 1.0);
  CHECK(power_of(0.97, 100).value() == 0x1.858cd64c3c9abp-5);
  CHECK(power_of(0.9999, 10000).value() == 0x1.78b090ef9b97ap-2);
  CHECK(power_of(0.5, 5000).value() == 0.0);
}

TEST_CASE("schedule: the caller's rounding mode does not count") {
  Schedule const schedules[] = {WarmupCosineLR({.total_steps = 5000}),
                                Cosine({.lr = 6e-4, .min_lr = 6e-5, .warmup_steps = 10, .total_steps = 3000}),
                                WarmupLR({}), OneCycle({.min_lr = 1e-4, .max_lr = 1e-3}),
                                ExponentialLR({.gamma = 0.999})};
  for (auto const& schedule : schedules) {
    for (std::uint64_t const step : {3U, 700U, 2345U}) {
      double const expected = schedule.at(step).lr;
      std::fesetround(FE_UPWARD);
      double const lr = schedule.at(step).lr;
      std::fesetround(FE_TONEAREST);
      CAPTURE(schedule.name());
      CHECK(lr == expected);
    }
  }
}

TEST_CASE("schedule: the first steps are DeepSpeed's") {
  WarmupLR const warmup({.min_lr = 0.25, .max_lr = 1.0, .warmup_steps = 4, .shape = WarmupShape::linear});
  CHECK(warmup.at(0).lr == 0.25);
  CHECK(warmup.at(1).lr == 0.25);
  CHECK(warmup.at(2).lr == 0.4375);
  CHECK(warmup.at(5).lr == 1.0);
  CHECK(warmup.at(UINT64_MAX).lr == 1.0);
  // The constructor sets 0, and the first call the ratio.
  WarmupCosineLR const cosine({.lr = 2.0, .total_steps = 10, .warmup_min_ratio = 0.5, .warmup_steps = 4});
  CHECK(cosine.at(0).lr == 0.0);
  CHECK(cosine.at(1).lr == 1.0);
  // The constructor sets the smallest momentum, with the smallest learning rate.
  OneCycle const cycle({.min_lr = 0.25, .max_lr = 1.25, .first_steps = 4, .min_momentum = 0.5, .max_momentum = 0.75});
  CHECK(cycle.at(0).momentum == 0.5);
  CHECK(cycle.at(1).momentum == 0.6875);
  CHECK(cycle.at(4).momentum == 0.5);
  CHECK(cycle.at(4).lr == 1.25);
  CHECK(cycle.at(8).momentum == 0.75);
  CHECK(cycle.at(8).lr == 0.25);
  CHECK(cycle.at(0).beta2 == 0.99);
  CHECK(!OneCycle({.cycles_momentum = false}).at(0).momentum);
  CHECK(!OneCycle({.cycles_momentum = false}).at(0).beta2);
  CHECK(!OneCycle({.beta2 = std::nullopt}).at(0).beta2);
}

TEST_CASE("schedule: no step of warm-up, or one, counts as two in DeepSpeed's") {
  for (auto const shape : {WarmupShape::logarithmic, WarmupShape::linear}) {
    WarmupLR const two({.warmup_steps = 2, .shape = shape});
    for (std::uint64_t const few : {0U, 1U}) {
      WarmupLR const other({.warmup_steps = few, .shape = shape});
      for (std::uint64_t step = 0; step < 5; ++step) CHECK(other.at(step).lr == two.at(step).lr);
    }
  }
}

TEST_CASE("schedule: the library's own begin above 0 and keep their last value") {
  Schedule const schedules[] = {
      Cosine({.lr = 1.0, .min_lr = 0.25, .warmup_steps = 3, .total_steps = 11}),
      Linear({.lr = 1.0, .min_lr = 0.25, .warmup_steps = 3, .total_steps = 11}),
      WarmupStableDecay({.lr = 1.0, .min_lr = 0.25, .warmup_steps = 3, .decay_steps = 4, .total_steps = 11})};
  for (auto const& schedule : schedules) {
    CAPTURE(schedule.name());
    CHECK(schedule.at(0).lr == 0.25);
    CHECK(schedule.at(2).lr == 0.75);
    CHECK(schedule.at(3).lr == 1.0);
    CHECK(schedule.at(10).lr > 0.25);
    CHECK(schedule.at(11).lr == 0.25);
    CHECK(schedule.at(UINT64_MAX).lr == 0.25);
  }
  CHECK(schedules[0].at(7).lr == 0.625);
  CHECK(schedules[1].at(7).lr == 0.625);
  CHECK(schedules[2].at(7).lr == 1.0);
  CHECK(schedules[2].at(9).lr == 0.625);
  WarmupStableDecay const root({.lr = 1.0, .decay_steps = 4, .total_steps = 11, .shape = DecayShape::one_minus_sqrt});
  CHECK(root.at(8).lr == 0.5);
  Constant const constant({.lr = 1.0, .warmup_steps = 3});
  CHECK(constant.at(1).lr == 0.5);
  CHECK(constant.at(3).lr == 1.0);
  CHECK(CosineAnnealingLR({.lr = 1.0, .half_period = 4}).at(std::uint64_t{1} << 60).lr == 1.0);
}

TEST_CASE("schedule: a momentum that would grow to 1 is refused") {
  OneCycle const cycle({.min_lr = 0.1,
                        .max_lr = 1.0,
                        .first_steps = 4,
                        .decay_steps = 2,
                        .min_momentum = 0.25,
                        .max_momentum = 0.5,
                        .decay_momentum_rate = 0.25});
  CHECK(cycle.at(8).momentum == 0.5);
  CHECK(cycle.at(10).momentum == 0.625);
  CHECK(cycle.at(15).momentum == 0.9375);
  Schedule const schedule = cycle;
  schedule.require_steps(0);
  schedule.require_steps(16);
  CHECK(message_of([&] { return cycle.at(16); }) ==
        "zero::schedule::OneCycle: momentum of step 16 is 1: write a decay_momentum_rate with which it stays in [0, 1) "
        "for all steps, or train fewer steps");
  CHECK(has(message_of([&] { return (schedule.require_steps(17), 0); }), "momentum of step 16 is 1"));
  OneCycle const falling({.first_steps = 1, .decay_steps = 1, .decay_momentum_rate = -0.5});
  CHECK(falling.at(4).momentum == 0.0);
  CHECK(has(message_of([&] { return falling.at(5); }), "momentum of step 5 is -0.45"));
}

TEST_CASE("schedule: a clock holds still for a skipped step, or goes on") {
  Clock held;
  CHECK(held.skipped_steps() == SkippedStep::hold);
  held.after_step(false);
  held.after_step(true);
  held.after_step(false);
  CHECK(held.step() == 2);
  Clock advanced(SkippedStep::advance, held.step());
  CHECK(advanced.step() == 2);
  advanced.after_step(true);
  advanced.after_step(false);
  CHECK(advanced.step() == 4);
}

TEST_CASE("schedule: any of them is a value") {
  Schedule schedule = WarmupLR({.warmup_steps = 10});
  CHECK(schedule.name() == "WarmupLR");
  REQUIRE(schedule.get_if<WarmupLR>() != nullptr);
  CHECK(schedule.get_if<WarmupLR>()->config().warmup_steps == 10);
  CHECK(schedule.get_if<Cosine>() == nullptr);
  auto const copy = schedule;
  schedule = Custom{"mine", [](std::uint64_t step) { return Rates{.lr = 1.0 / static_cast<double>(step + 1)}; }};
  CHECK(schedule.name() == "mine");
  CHECK(schedule.at(3).lr == 0.25);
  CHECK(!schedule.at(3).momentum);
  CHECK(copy.at(10).lr < copy.at(12).lr);
}

TEST_CASE("schedule: what a user's function returns is checked") {
  auto const make = [](Rates const& rates) {
    return Schedule(Custom{"mine", [rates](std::uint64_t) { return rates; }});
  };
  CHECK(make({.lr = 0.5, .momentum = 0.9, .beta2 = 0.99}).at(7).beta2 == 0.99);
  for (double const bad : no_rates) {
    CHECK(has(message_of([&] { return make({.lr = bad}).at(7); }), "zero::schedule::mine: lr is "));
  }
  for (double const bad : no_momenta) {
    CHECK(has(message_of([&] { return make({.lr = 0.5, .momentum = bad}).at(7); }), "mine: momentum is "));
    CHECK(has(message_of([&] { return make({.lr = 0.5, .beta2 = bad}).at(7); }), "mine: beta2 is "));
  }
  CHECK(message_of([] {
          return Schedule(Custom{"mine", nullptr});
        }) == "zero::schedule::Custom: there is no function or no name: give both");
  CHECK(!message_of([] { return Schedule(Custom{"", [](std::uint64_t) { return Rates{}; }}); }).empty());
  // A rate that a built-in schedule overflows to.
  CHECK(has(message_of([] { return Schedule(LRRangeTest({.interval = 1, .rate = 1e308})).at(1000000); }), "lr is inf"));
}

TEST_CASE("schedule: settings of DeepSpeed's schedules that cannot be") {
  using W = WarmupLR::Config;
  CHECK(refusal<WarmupLR>({.min_lr = -1}) ==
        "zero::schedule::WarmupLR: min_lr is -1: write a finite number that is not negative");
  CHECK(refusal<WarmupLR>({.min_lr = 2e-3}) ==
        "zero::schedule::WarmupLR: min_lr is 0.002: write a number that is not above max_lr");
  check_refuses<WarmupLR>({}, "min_lr", &W::min_lr, no_rates);
  check_refuses<WarmupLR>({}, "max_lr", &W::max_lr, no_rates);

  using D = WarmupDecayLR::Config;
  D const decay{.total_steps = 10};
  CHECK(refusal<WarmupDecayLR>(decay).empty());
  check_refuses<WarmupDecayLR>(decay, "min_lr", &D::min_lr, no_rates);
  check_refuses<WarmupDecayLR>(decay, "min_lr", &D::min_lr, {1.0});
  check_refuses<WarmupDecayLR>(decay, "max_lr", &D::max_lr, no_rates);
  check_refuses_zero<WarmupDecayLR>(decay, "total_steps", &D::total_steps);

  using C = WarmupCosineLR::Config;
  C const cosine{.total_steps = 10};
  CHECK(refusal<WarmupCosineLR>(cosine).empty());
  check_refuses<WarmupCosineLR>(cosine, "lr", &C::lr, no_rates);
  check_refuses<WarmupCosineLR>(cosine, "warmup_min_ratio", &C::warmup_min_ratio, no_shares);
  check_refuses<WarmupCosineLR>(cosine, "cosine_min_ratio", &C::cosine_min_ratio, no_shares);
  check_refuses_zero<WarmupCosineLR>(cosine, "total_steps", &C::total_steps);

  using R = LRRangeTest::Config;
  check_refuses<LRRangeTest>({}, "min_lr", &R::min_lr, no_rates);
  check_refuses<LRRangeTest>({}, "rate", &R::rate, no_rates);
  check_refuses_zero<LRRangeTest>({}, "interval", &R::interval);
}

TEST_CASE("schedule: settings of OneCycle that cannot be") {
  using O = OneCycle::Config;
  O const cycle{.min_lr = 0.1, .max_lr = 1.0};
  CHECK(refusal<OneCycle>(cycle).empty());
  check_refuses<OneCycle>(cycle, "min_lr", &O::min_lr, no_rates);
  check_refuses<OneCycle>(cycle, "min_lr", &O::min_lr, {2.0});
  check_refuses<OneCycle>(cycle, "max_lr", &O::max_lr, no_rates);
  check_refuses<OneCycle>(cycle, "decay_lr_rate", &O::decay_lr_rate, no_rates);
  check_refuses_zero<OneCycle>(cycle, "first_steps", &O::first_steps);
  check_refuses<OneCycle>(cycle, "min_momentum", &O::min_momentum, no_momenta);
  check_refuses<OneCycle>(cycle, "min_momentum", &O::min_momentum, {0.95});
  check_refuses<OneCycle>(cycle, "max_momentum", &O::max_momentum, no_momenta);
  check_refuses<OneCycle>(cycle, "decay_momentum_rate", &O::decay_momentum_rate, {nan, infinity});
  check_refuses<OneCycle>(cycle, "beta2", &O::beta2, no_momenta);
  auto endless = cycle;
  endless.second_steps = UINT64_MAX;
  CHECK(has(refusal<OneCycle>(endless), "second_steps is 18446744073709551615, more than "));
  endless = cycle;
  endless.first_steps = UINT64_MAX;
  CHECK(has(refusal<OneCycle>(endless), "first_steps is 18446744073709551615, more than "));
}

TEST_CASE("schedule: settings of the library's own schedules that cannot be") {
  auto const check_both = []<class S>(S const& valid) {
    using Config = typename S::Config;
    auto const config = valid.config();
    check_refuses<S>(config, "lr", &Config::lr, no_rates);
    check_refuses<S>(config, "min_lr", &Config::min_lr, no_rates);
    check_refuses<S>(config, "min_lr", &Config::min_lr, {2.0});
    check_refuses_zero<S>(config, "total_steps", &Config::total_steps);
    auto late = config;
    late.warmup_steps = 11;
    CHECK(refusal<S>(late) ==
          "zero::schedule::" + std::string(S::name) + ": warmup_steps is 11, more than total_steps, 10: write fewer");
  };
  check_both(Cosine({.lr = 1.0, .total_steps = 10}));
  check_both(Linear({.lr = 1.0, .total_steps = 10}));
  check_both(WarmupStableDecay({.lr = 1.0, .total_steps = 10}));
  CHECK(
      refusal<WarmupStableDecay>({.warmup_steps = 3, .decay_steps = 8, .total_steps = 10}) ==
      "zero::schedule::warmup-stable-decay: decay_steps is 8, more than total_steps less warmup_steps, 7: write fewer");
  check_refuses<Constant>({}, "lr", &Constant::Config::lr, no_rates);
}

TEST_CASE("schedule: settings of PyTorch's schedules that cannot be") {
  check_refuses<StepLR>({.interval = 3}, "lr", &StepLR::Config::lr, no_rates);
  check_refuses<StepLR>({.interval = 3}, "gamma", &StepLR::Config::gamma, no_factors);
  check_refuses_zero<StepLR>({}, "interval", &StepLR::Config::interval);
  check_refuses<MultiStepLR>({.milestones = {3}}, "lr", &MultiStepLR::Config::lr, no_rates);
  check_refuses<MultiStepLR>({.milestones = {3}}, "gamma", &MultiStepLR::Config::gamma, no_factors);
  CHECK(refusal<MultiStepLR>({}) ==
        "zero::schedule::MultiStepLR: there are no milestones: give one at least, or use Constant");
  check_refuses<ExponentialLR>({}, "lr", &ExponentialLR::Config::lr, no_rates);
  check_refuses<ExponentialLR>({}, "gamma", &ExponentialLR::Config::gamma, no_factors);
  check_refuses<LinearLR>({}, "lr", &LinearLR::Config::lr, no_rates);
  check_refuses<LinearLR>({}, "start_factor", &LinearLR::Config::start_factor, no_factors);
  check_refuses<LinearLR>({}, "end_factor", &LinearLR::Config::end_factor, no_shares);
  check_refuses_zero<LinearLR>({}, "total_steps", &LinearLR::Config::total_steps);
  check_refuses<ConstantLR>({}, "lr", &ConstantLR::Config::lr, no_rates);
  check_refuses<ConstantLR>({}, "factor", &ConstantLR::Config::factor, no_shares);
  using A = CosineAnnealingLR::Config;
  check_refuses<CosineAnnealingLR>({.half_period = 3}, "lr", &A::lr, no_rates);
  check_refuses<CosineAnnealingLR>({.half_period = 3}, "min_lr", &A::min_lr, no_rates);
  check_refuses<CosineAnnealingLR>({.half_period = 3}, "min_lr", &A::min_lr, {2.0});
  check_refuses_zero<CosineAnnealingLR>({}, "half_period", &A::half_period);
}

}  // namespace schedule_schedule_test
