// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gpt2/sampling.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

namespace {

std::vector<int> histogram(std::vector<float> const& logits, gpt2::SamplingConfig const& config, std::uint64_t draws) {
  std::vector<int> counts(logits.size());
  for (std::uint64_t i = 0; i < draws; ++i) ++counts.at(gpt2::sample(logits, config, gpt2::CounterRandom(1), i));
  return counts;
}

// Probabilities 0.5, 0.3, 0.15 and 0.05, not in order.
std::vector<float> const logits{std::log(0.15F), std::log(0.5F), std::log(0.05F), std::log(0.3F)};

}  // namespace

TEST_CASE("gpt2 sampling: at temperature 1 and top_p 1 tokens come as often as they are likely") {
  auto const counts = histogram(logits, {.temperature = 1.0, .top_p = 1.0}, 10000);
  CHECK(std::abs(counts[0] - 1500) < 150);
  CHECK(std::abs(counts[1] - 5000) < 200);
  CHECK(std::abs(counts[2] - 500) < 100);
  CHECK(std::abs(counts[3] - 3000) < 200);
}

TEST_CASE("gpt2 sampling: the nucleus is the fewest likeliest tokens that reach top_p") {
  auto const two = histogram(logits, {.temperature = 1.0, .top_p = 0.7}, 4000);
  CHECK(two[0] == 0);
  CHECK(two[2] == 0);
  CHECK(std::abs(two[1] - 2500) < 150);  // 0.5 of 0.8
  auto const three = histogram(logits, {.temperature = 1.0, .top_p = 0.9}, 4000);
  CHECK(three[0] > 0);
  CHECK(three[2] == 0);
}

TEST_CASE("gpt2 sampling: a tiny top_p and a temperature of 0 both take the likeliest token") {
  CHECK(histogram(logits, {.temperature = 1.0, .top_p = 1e-12}, 100)[1] == 100);
  CHECK(histogram(logits, {.temperature = 0.0, .top_p = 1.0}, 100)[1] == 100);
  CHECK(histogram(logits, {.temperature = 1e-300, .top_p = 1.0}, 100)[1] == 100);
}

TEST_CASE("gpt2 sampling: of equal logits the first is taken greedily, and all are drawn otherwise") {
  std::vector<float> const equal(5, 2.0F);
  CHECK(gpt2::sample(equal, {.temperature = 0.0}, gpt2::CounterRandom(1), 0) == 0);
  for (int const count : histogram(equal, {.temperature = 1.0, .top_p = 1.0}, 5000))
    CHECK(std::abs(count - 1000) < 150);
  auto const half = histogram(equal, {.temperature = 1.0, .top_p = 0.39}, 1000);
  CHECK(half[0] + half[1] == 1000);
}

TEST_CASE("gpt2 sampling: a low temperature sharpens and a high one flattens") {
  CHECK(histogram(logits, {.temperature = 0.25, .top_p = 1.0}, 4000)[1] > 3300);
  CHECK(histogram(logits, {.temperature = 100.0, .top_p = 1.0}, 4000)[2] > 800);
}

TEST_CASE("gpt2 sampling: the same seed and counter draw the same token") {
  for (std::uint64_t i = 0; i < 50; ++i) {
    CHECK(gpt2::sample(logits, {}, gpt2::CounterRandom(4), i) == gpt2::sample(logits, {}, gpt2::CounterRandom(4), i));
  }
  CHECK(histogram({1.0F}, {}, 10)[0] == 10);
}

TEST_CASE("gpt2 sampling: settings and logits without a meaning are refused") {
  gpt2::CounterRandom const random(1);
  float const nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  auto const draw = [&](std::vector<float> const& values, gpt2::SamplingConfig const& config) {
    static_cast<void>(gpt2::sample(values, config, random, 0));
  };
  CHECK_THROWS_AS(draw(logits, {.temperature = -1.0}), std::invalid_argument);
  CHECK_THROWS_AS(draw(logits, {.temperature = std::nan("")}), std::invalid_argument);
  CHECK_THROWS_AS(draw(logits, {.top_p = 0.0}), std::invalid_argument);
  CHECK_THROWS_AS(draw(logits, {.top_p = 1.5}), std::invalid_argument);
  CHECK_THROWS_AS(draw({}, {}), std::invalid_argument);
  CHECK_THROWS_AS(draw({0.0F, nan}, {}), std::invalid_argument);
  CHECK_THROWS_AS(draw({0.0F, infinity}, {}), std::invalid_argument);
}
