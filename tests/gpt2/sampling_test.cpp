// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gpt2/sampling.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

namespace gpt2_sampling_test {

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

TEST_CASE("gpt2 sampling: top_k keeps that many of the likeliest, and top_p then takes its share of those") {
  auto const two = histogram(logits, {.temperature = 1.0, .top_k = 2, .top_p = 1.0}, 4000);
  CHECK(two[0] == 0);
  CHECK(two[2] == 0);
  CHECK(std::abs(two[1] - 2500) < 150);  // 0.5 of 0.8
  // Of all, 0.6 needs two tokens; of the two that are left, one has 0.625.
  CHECK(histogram(logits, {.temperature = 1.0, .top_k = 2, .top_p = 0.6}, 1000)[1] == 1000);
  CHECK(histogram(logits, {.temperature = 1.0, .top_k = 0, .top_p = 0.6}, 1000)[3] > 0);
  CHECK(histogram(logits, {.temperature = 5.0, .top_k = 1, .top_p = 1.0}, 100)[1] == 100);
  CHECK(histogram(logits, {.temperature = 1.0, .top_k = 9, .top_p = 1.0}, 4000)[2] > 0);
  std::vector<float> const equal(5, 2.0F);  // ties: by the lower index
  auto const kept = histogram(equal, {.temperature = 1.0, .top_k = 3, .top_p = 1.0}, 1000);
  CHECK(kept[0] + kept[1] + kept[2] == 1000);
}

TEST_CASE("gpt2 sampling: of a large vocabulary the nucleus is that of a plain sort") {
  std::vector<float> many;
  for (std::uint64_t i = 0; i < 3000; ++i)
    many.push_back(static_cast<float>(std::floor(40.0 * gpt2::CounterRandom(2).uniform(i))) / 8.0F);  // with many ties
  std::vector<gpt2::Token> order;
  for (gpt2::Token i = 0; i < many.size(); ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](gpt2::Token a, gpt2::Token b) { return many[a] > many[b]; });
  double all = 0.0;
  for (float const x : many) all += std::exp(static_cast<double>(x) - static_cast<double>(many[order[0]]));
  for (double const top_p : {0.1, 0.5, 0.9, 1.0}) {
    double nucleus = 0.0;
    std::size_t count = 0;
    auto const weight = [&](std::size_t i) {
      return std::exp(static_cast<double>(many[order[i]]) - static_cast<double>(many[order[0]]));
    };
    while (count < many.size() && (count == 0 || nucleus < top_p * all)) nucleus += weight(count++);
    for (std::uint64_t i = 0; i < 200; ++i) {
      double const drawn = gpt2::CounterRandom(3).uniform(i) * nucleus;
      double passed = weight(0);
      std::size_t place = 0;
      while (place + 1 < count && drawn >= passed) passed += weight(++place);
      CHECK(gpt2::sample(many, {.temperature = 1.0, .top_p = top_p}, gpt2::CounterRandom(3), i) == order[place]);
    }
  }
}

TEST_CASE("gpt2 sampling: the seed and what stands behind a prompt's first token name its stream") {
  using Prompt = std::vector<gpt2::Token>;
  auto const first = [](std::uint64_t seed, Prompt const& prompt) {
    return gpt2::sampling_stream(seed, prompt).bits(0);
  };
  CHECK(first(1, {5}) == gpt2::CounterRandom(1).with(0x73616D706C65).bits(0));  // the stream of earlier versions
  CHECK(first(1, {5, 6}) == first(1, {5, 6}));
  CHECK(first(1, {5, 6}) != first(2, {5, 6}));
  CHECK(first(1, {5, 6}) != first(1, {5, 7}));
  CHECK(first(1, {5, 6, 7}) != first(1, {5, 7, 6}));
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

}  // namespace gpt2_sampling_test
