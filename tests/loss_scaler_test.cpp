// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/loss_scaler.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

namespace loss_scaler_test {

using zero::DynamicScale;

namespace {

// The scale after each step of a trace: 'x' overflows, '.' does not.
std::vector<float> scales(DynamicScale::Config const& config, std::string const& trace) {
  std::vector<float> all;
  auto state = DynamicScale::initial(config);
  for (char step : trace) {
    state = DynamicScale::update(config, state, step == 'x');
    all.push_back(state.scale);
  }
  return all;
}

using Scales = std::vector<float>;

}  // namespace

TEST_CASE("dynamic scale: doubles after a window of clean steps, which an overflow starts anew") {
  DynamicScale::Config const config{.initial = 8, .window = 3, .hysteresis = 1};
  CHECK(scales(config, "......") == Scales{8, 8, 16, 16, 16, 32});
  CHECK(scales(config, "..x...") == Scales{8, 8, 4, 4, 4, 8});
}

TEST_CASE("dynamic scale: hysteresis counts overflows, consecutive or not") {
  DynamicScale::Config config{.initial = 64, .window = 100, .hysteresis = 2};
  CHECK(scales(config, "x.x.x") == Scales{64, 64, 32, 32, 16});
  CHECK(scales(config, "xxx") == Scales{64, 32, 16});
  config.consecutive_hysteresis = true;
  CHECK(scales(config, "x.x.xx") == Scales{64, 64, 64, 64, 64, 32});
}

TEST_CASE("dynamic scale: growth refills the hysteresis") {
  DynamicScale::Config const config{.initial = 64, .window = 2, .hysteresis = 2};
  CHECK(scales(config, "xx..xx") == Scales{64, 32, 32, 64, 64, 32});
}

TEST_CASE("dynamic scale: stops at the minimum, and says so at the overflow after it") {
  DynamicScale::Config const config{.initial = 5, .factor = 2, .minimum = 2, .hysteresis = 1};
  CHECK(scales(config, "xxx") == Scales{2.5, 2, 2});
  auto state = DynamicScale::initial(config);
  for (bool exhausted : {false, false, true, true}) {
    state = DynamicScale::update(config, state, true);
    CHECK(state.exhausted == exhausted);
  }
  CHECK(!DynamicScale::update(config, state, false).exhausted);
}

TEST_CASE("dynamic scale: never grows to infinity") {
  DynamicScale::Config const config{.initial = 0x1p126F, .window = 1};
  CHECK(scales(config, "...") == Scales{0x1p127F, 0x1p127F, 0x1p127F});
}

TEST_CASE("static scale, no scale: stay what they are") {
  zero::StaticScale::Config const config{.scale = 128};
  CHECK(zero::StaticScale::update(config, zero::StaticScale::initial(config), true).scale == 128);
  CHECK(zero::NoScale::update({}, zero::NoScale::initial({}), true).scale == 1);
  for (float bad : {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    CHECK_THROWS_AS(zero::StaticScale::validate({.scale = bad}), zero::ConfigurationError);
  }
}

TEST_CASE("dynamic scale: settings that cannot work are refused") {
  CHECK_NOTHROW(DynamicScale::validate({}));
  CHECK_THROWS_WITH_AS(DynamicScale::validate({.initial = 0.5F}),
                       "zero::DynamicScale: initial must be finite and at least minimum, e.g. 65536",
                       zero::ConfigurationError);
  CHECK_THROWS_AS(DynamicScale::validate({.factor = 1.0F}), zero::ConfigurationError);
  CHECK_THROWS_AS(DynamicScale::validate({.minimum = 0.0F}), zero::ConfigurationError);
  CHECK_THROWS_AS(DynamicScale::validate({.window = 0}), zero::ConfigurationError);
  CHECK_THROWS_AS(DynamicScale::validate({.hysteresis = 0}), zero::ConfigurationError);
}

}  // namespace loss_scaler_test
